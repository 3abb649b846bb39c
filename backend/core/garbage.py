"""What a server's process need not look through for garbage."""

import gc


def spare_what_stays() -> None:
    """Routes and models live as long as the process. Looking through them for garbage again and again held up one
    request in some, for 80 ms. Only for a process that serves and does nothing else: what is spared is never freed."""
    gc.collect()
    gc.freeze()
