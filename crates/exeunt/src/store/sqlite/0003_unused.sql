-- Which sessions lie unused memory knows: this process alone writes here. The index was written at every sign-in, at every noted use and at every
-- ending, each time on another page, which was a quarter of what a sign-out costs.
DROP INDEX sessions_live_by_use;
