"""Consistent attention: the images of a set look at one another while they are painted (Gen-AFFECT, 2508.09461)."""
