//! What using Pyralog feels like: the scripts beside this package, and the year
//! of flights in `data/`. The whole-system tests run every one of them.
