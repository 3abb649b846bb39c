"""A county and three phones that hypothesis drives: what may happen to them, and what must hold whatever happens.

The server is the app on a real database, the phones are real stores with their real sync loop; only the network between
them, and the moment a phone dies, are made up.
"""

from tests.mobile import driver as driver  # before anything of Kivy, whose settings it fixes
