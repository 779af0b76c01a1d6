//! Seeded simulations of the storage under power cuts.
