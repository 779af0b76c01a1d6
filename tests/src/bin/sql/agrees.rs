//! DuckDB over the same CSV, asked the same questions.

use crate::world::World;
use anyhow::{Context, Result, ensure};
use pyralog_tests::flights::repository;
use std::path::Path;
use std::process::Command;

/// Runs `duckdb_agrees.py`, which says what it found.
pub fn check(world: &World, python: &Path) -> Result<()> {
    let script = repository().join("tests/clients/sql/duckdb_agrees.py");
    let status = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(world.http().to_string())
        .arg(&world.files.folder)
        .status()
        .with_context(|| format!("cannot run {}", python.display()))?;
    ensure!(
        status.success(),
        "the answers differ, or DuckDB is missing: `pip install -r tests/clients/requirements.txt`"
    );
    Ok(())
}
