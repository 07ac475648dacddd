"""Release of the memory of an idle hashing thread: the C library keeps a freed block for the thread's next one.

That suits a busy thread, since getting 19 MiB from the system again costs half a hash; an idle one should hold nothing.
glibc's own `malloc_trim` does not trim the end of a thread's heap, where this block lies.
"""

from __future__ import annotations

import mmap
import sys

_ROOM = 4096


def give_back(size: int) -> None:
    """Return the pages of this thread's last hash, which took `size` bytes, to the system; harmless when there was
    none."""
    if sys.platform != "linux":
        return
    # imported here: most commands never hash
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
    # The block is ours until it is freed. Only whole pages of it, since the data before and after belongs to others.
    first = -(-block // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = (block + size - _ROOM - first) // mmap.PAGESIZE * mmap.PAGESIZE
    advise(first, whole, mmap.MADV_DONTNEED)
    free(block)
