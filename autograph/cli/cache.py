"""`autograph cache`: where compiled code is kept on disk, and how much; `--clear` removes it."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.cache import cache, chosen_folder

__all__ = ["run"]


def run(options: Any) -> None:
    """The command, from its parsed arguments."""
    kept = cache()
    if kept.folder is None:
        folder = chosen_folder()
        print("no cache: AUTOGRAPH_CACHE is off" if folder is None else f"no cache: {folder} is not the user's alone")
        return
    if options.clear:
        count = kept.clear()
        print(f"{kept.folder}: {count} {_files(count)} removed")
        return
    entries = kept.entries()
    size = sum(size for _, size, _ in entries)
    print(f"{kept.folder}: {len(entries)} {_files(len(entries))}, {_amount(size)} of at most {_amount(kept.limit)}")


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def _amount(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
