//! What `auto` finds out, and how it says so.
