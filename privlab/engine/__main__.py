"""``python -I -m privlab.engine``: the zygote; started by `privlab.engine.handle`."""

from __future__ import annotations

from privlab.engine.zygote import main

if __name__ == "__main__":
    main()
