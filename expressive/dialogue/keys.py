"""Keys of endpoints: from environment variables alone, and each to no other address than it is meant for.

A graph from somebody else may name any address and any variable. So the key of a well-known service goes to that
service alone, and other variables have to begin with EXPRESSIVE_AVATARS_.
"""

from __future__ import annotations

import ipaddress
import os
import re
import urllib.parse

OWN = "EXPRESSIVE_AVATARS_"
"""How a variable's name begins whose key may go to any address that the user writes."""
SERVICES = {
    "OPENAI_API_KEY": ("api.openai.com",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "MISTRAL_API_KEY": ("api.mistral.ai",),
    "DEEPSEEK_API_KEY": ("api.deepseek.com",),
    "GROQ_API_KEY": ("api.groq.com",),
    "DASHSCOPE_API_KEY": ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"),
}
"""Variable → hosts that its key may go to."""

_LOCAL = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


class EndpointError(RuntimeError):
    """The endpoint gives no usable answer. The message is a sentence for people, without any key."""


def check_variable(variable: str, host: str) -> None:
    """ValueError if this is no name of a variable whose key may go to this host. An empty one is fine."""
    if not variable:
        return
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", variable):
        # it may be the key itself, and is not repeated
        raise ValueError(
            f"key_variable is the name of an environment variable, such as {OWN}KEY. If you wrote the key itself "
            "there, take it out, or it will be saved with the graph."
        )
    if variable in SERVICES:
        if host.lower() not in SERVICES[variable]:
            raise ValueError(
                f"{variable} goes to {' or '.join(SERVICES[variable])} alone, but the base URL is at {host}. For this "
                f"endpoint set a variable of its own, whose name begins with {OWN}."
            )
    elif not variable.startswith(OWN):
        raise ValueError(
            f"Only variables whose names begin with {OWN} are read, and {', '.join(SERVICES)}, so that no graph can "
            f"send another secret away. Set {OWN}KEY, for example, to the endpoint's key."
        )


def key_for(variable: str, base_url: str) -> str:
    """The key that a variable holds, or an empty text without one. EndpointError if it is not set or cannot be sent."""
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise EndpointError(
            f"The environment variable {variable} is not set. Set it to the key before ComfyUI starts, or leave "
            "key_variable empty if the endpoint wants none."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(f"What {variable} holds is not a key: it has blanks or unusual characters.")
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme == "http" and not is_local(parts.hostname or ""):
        raise EndpointError(
            f"The key would go to {parts.hostname} without encryption. Use an address that begins with https."
        )
    return key


def is_local(host: str) -> bool:
    """This machine, or one of the same network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        plain = host.lower()
        return ("." not in plain and plain[:1].isalpha()) or plain.endswith(_LOCAL)
    return address.is_loopback or address.is_private or address.is_link_local
