"""The words by which avatar requests are read: who is described, what asks for it, what may stand between."""

from __future__ import annotations

from ..emotion.person import GENDERS

WOMAN, MAN = GENDERS

_ALONE = {
    WOMAN: "woman female femal femail famale femlae fmale womann wman womn woemn grandma grandmother grandmom grandmum "
    "granny gran nana feminine gentlewoman businesswoman",
    MAN: "man male gentleman gent grandpa grandfather granddad grandad grandpop gramps masculine businessman",
}
_CALLED = {
    WOMAN: "lady girl gal lass mother mom mum mommy mummy aunt auntie",
    MAN: "guy boy bloke chap dude lad fellow father dad daddy uncle man",
}
_POINTED = {WOMAN: "she her hers herself", MAN: "he him his himself"}
LETTERS = {"f": WOMAN, "w": WOMAN, "m": MAN}
NOUNS = {word: gender for group in (_ALONE, _CALLED) for gender, words in group.items() for word in words.split()}
FORMS_OF_ADDRESS = frozenset(word for words in _CALLED.values() for word in words.split())
"""Nouns that also call somebody: "thanks, man" asks for nobody."""
PRONOUNS = {word: gender for gender, words in _POINTED.items() for word in words.split()}

AVATARS = frozenset("avatar avatars character persona figure companion".split())
PEOPLE = frozenset("person someone somebody anyone anybody human individual adult".split()) | AVATARS
ARTICLES = frozenset("a an the another some".split())
POSSESSIVES = frozenset("my your our its".split())
WISHES = frozenset("want need prefer choose pick".split())
ORDERS = frozenset(
    "generate create make show give draw render build produce design change switch turn set imagine".split()
)
NARROW = {  # verbs that ask only close behind one of these words
    **dict.fromkeys(("like", "love", "rather"), frozenset("would should might i'd we'd".split())),
    **dict.fromkeys(
        ("see", "have", "get", "take", "use", "try", "meet", "become"),
        frozenset("can could may let let's lets please".split()),
    ),
    "be": frozenset("you it she he they should shall please".split()) | AVATARS,
    "for": frozenset("looking ask asking asked go".split()),
    "with": frozenset({"go"}),
    "about": frozenset({"how", "what"}),
}
MODALS = frozenset("can could would will should shall may please i'd i'll let let's lets".split())
SUBJECTS = frozenset("i we they he she it who that".split())
DENIALS = frozenset("not never don't dont didn't doesn't won't can't cannot wouldn't isn't nor without".split())
POLITE = frozenset("thanks thank hi hello hey ok okay yes yeah no sure sorry oh well".split())
BREAKS = frozenset(
    "with who whose whom which that wearing having named called from for because when while where but since smiling "
    "looking dressed standing sitting speaking".split()
)
"""Words behind which a description goes on with what is not read here."""
RELATIVES = frozenset("who that which whose whom".split())
FILLERS = (
    frozenset(
        "about around roughly approximately approx circa ca maybe perhaps probably possibly just only please pls "
        "thanks thank you ok okay yes yeah yep yup sure no nope hi hello hey there uh um hmm well then now instead "
        "actually again also so of in into at on is be to being as and or plus for me us it i we i'd i'll it's let's "
        "lets would will can could should shall may might do like look looks looking rather really think guess suppose "
        "say aged age ages gender sex between ish old older oldish young younger youngish middle elderly mature senior "
        "grown nice good great fine kind friendly cheerful pretty handsome beautiful attractive real new different "
        "same one this time than longer sorry oh right its years year if possible bit little".split()
    )
    | ARTICLES
    | PEOPLE
)
MARKS = frozenset(",:;=()[]\"'*/&+~-.!?…")
