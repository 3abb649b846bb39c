"""The phone app for grid workers and volunteers."""
