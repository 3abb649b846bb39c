"""消息: what has happened that concerns whoever is signed in, noticed on the phone itself."""
