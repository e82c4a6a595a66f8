"""How many files a process may have open. Systems grant 1,024 unless asked for more, and the features of each 1000
pictures of a catalogue are a file that stays open while it is mapped."""

import resource

OF_A_PROCESS = 65_530
"""As many as Linux lets a process map, unless `vm.max_map_count` says otherwise: a collection of 65 million."""


def raise_limit(wanted: int) -> int:
    """Let this process and its children open so many, or as many as it may. Returns how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else wanted
