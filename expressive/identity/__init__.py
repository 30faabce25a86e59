"""Gen-AFFECT's identity-expression representation (arXiv 2508.09461): who a person is, and which face they make.

What is public of the paper names no network, no place of injection and no number of tokens; this design is ours, near
PuLID (arXiv 2404.16022) and IP-Adapter (arXiv 2308.06721).

`features`: what encoders see in reference pictures. `tokens`: a resampler makes tokens of it. `adapter`: attention to
them, beside the layers of a frozen network. `attached`: the same in diffusers' networks, for training.
"""
