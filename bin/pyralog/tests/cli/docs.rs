//! Two pages of documentation are lists that the code has; they are held equal.
//! `PYRALOG_WRITE_DOCS=1 cargo test -p pyralog docs` writes them anew.

use pyralog::config::{Effect, KEYS, Section};
use pyralog_model::{ErrorCode, Remedy};
use std::fmt::Write;
use std::path::Path;

#[track_caller]
fn held_equal(name: &str, expect: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("PYRALOG_WRITE_DOCS").is_some() {
        std::fs::write(&path, expect).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expect,
        "docs/{name} is out of date: PYRALOG_WRITE_DOCS=1 cargo test -p pyralog docs"
    );
}

#[test]
fn every_error_code_is_documented() {
    let mut page = String::from(
        "# Error codes\n\n\
         Every error of the `/v1` API and of the command line has one of these codes. Over HTTP it is\n\
         `{\"error\": {\"code\", \"message\", \"remedy\"}}`; the command line prints the code in parentheses.\n\n\
         | code | what it means | `remedy` and what to do |\n|---|---|---|\n",
    );
    for code in ErrorCode::ALL {
        let remedy = match code.remedy() {
            Remedy::Retry => "`retry`: send it again, with a pause",
            Remedy::GoElsewhere => "`go-elsewhere`: ask another node",
            Remedy::Refresh => "`refresh`: look again at what is there, then retry",
            Remedy::GiveUp => "`give-up`: change the request",
            Remedy::Repair => "`repair`: look at the node",
        };
        writeln!(page, "| `{code}` | {} | {remedy} |", code.meaning()).unwrap();
    }
    page.push_str(
        "\n## Exit codes of the command line\n\n\
         | code | meaning |\n|---|---|\n\
         | 0 | done |\n\
         | 1 | failed, and will fail again |\n\
         | 2 | the command or the configuration is wrong |\n\
         | 3 | what was asked for is not there |\n\
         | 4 | it may work later, or elsewhere |\n\
         | 74 | a node stopped because its store failed |\n",
    );
    held_equal("errors.md", &page);
}

#[test]
fn every_key_is_documented() {
    let mut page = String::from(
        "# Configuration\n\n\
         A node reads its settings in four layers; the last one that speaks wins:\n\n\
         1. the defaults below (`pyralog dev` turns `auto_create_logs` on),\n\
         2. a TOML file: `--config FILE` or `PYRALOG_CONFIG`,\n\
         3. the environment: `PYRALOG_<SECTION>_<KEY>`, such as `PYRALOG_PYRAMID_LISTEN_ADDR`,\n\
         4. flags: `--listen-addr`, `--data-dir`, … (`pyralog --help`).\n\n\
         `pyralog config check` prints every key, its value, and which layer set it, and warns about what\n\
         needs `--insecure`. A file may hold both sections. A key that does not exist, or a value that cannot\n\
         be, is an error with its line.\n\n\
         A node whose `--role` is `obelisk` reads `[obelisk]`, and its flags set keys of that section. Any\n\
         other node is named by `[pyramid]`: one with both roles has one name, one data directory and one HTTP\n\
         port, its Obelisk answers on `link_addr`, and of `[obelisk]` it reads what `[pyramid]` lacks.\n\n\
         Sizes: `1GB` is 10⁹ bytes, `1GiB` is 2³⁰, a bare number is bytes. Lists are comma-separated\n\
         outside a file. Addresses that other machines can reach need `insecure = true` or `--insecure`,\n\
         since this version has no TLS; links to other machines need a `cookie_file` too.\n\n\
         Keys marked *with …* are read and checked, and take effect once that feature is there. A node\n\
         warns about each that was set when it starts.\n",
    );
    for section in Section::ALL {
        write!(page, "\n## `[{section}]`\n\n| key | default | meaning |\n|---|---|---|\n").unwrap();
        for key in KEYS.iter().filter(|key| key.section == section) {
            let default = if key.default.is_empty() {
                "—".to_owned()
            } else {
                format!("`{}`", key.default)
            };
            let effect = match key.effect {
                Effect::Now => String::new(),
                Effect::With(feature) => format!(" *With {feature}.*"),
            };
            writeln!(page, "| `{}` | {default} | {}{effect} |", key.name, key.meaning).unwrap();
        }
    }
    held_equal("configuration.md", &page);
}
