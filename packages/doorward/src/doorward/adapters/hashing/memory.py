"""How does a thread that hashed a password let go of the memory? The C library keeps a freed block for the thread's next one.

That is what a busy thread wants, since getting 19 MiB anew from the system costs half a hash; a resting one should hold nothing.
glibc's own `malloc_trim` does not look at the end of a thread's heap, where just this block lies.
"""

from __future__ import annotations

import mmap
import sys

_ROOM = 4096


def give_back(size: int) -> None:
    """Let the system have the pages of this thread's last hash, which took `size` bytes; harmless when there was none."""
    if sys.platform != "linux":
        return
    # imported here: most commands never hash, and pay nothing for it
    import ctypes

    try:
        library = ctypes.CDLL(None)
        allocate, advise, free = library.malloc, library.madvise, library.free
    except (AttributeError, OSError):
        return
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_void_p
    advise.argtypes, advise.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int], ctypes.c_int
    free.argtypes, free.restype = [ctypes.c_void_p], None
    block: int | None = allocate(size - _ROOM)
    if block is None:
        return
    # the block is ours until it is freed; whole pages of it only, since what stands before and after belongs to others
    first = -(-block // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = (block + size - _ROOM - first) // mmap.PAGESIZE * mmap.PAGESIZE
    advise(first, whole, mmap.MADV_DONTNEED)
    free(block)
