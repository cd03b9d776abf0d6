//! The documentation's table is this table. `BLESS=1` writes it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::OPERATORS;

const BEFORE: &str = "\
# Operators

What of ONNX a network may use: opsets 7 to 24, all in floating point of 32 bits (whole numbers and truth
values are kept exact; quantised networks are computed with the rounding and the limits of their types).
Whatever depends on constants and shapes only is folded when a network is loaded, whichever of these
operators it uses. An operator that is missing here is an error that names the operator, the node and the file.

Each is compared with ONNX Runtime in `models/tests/it/operators.rs`. This page is made by
`models/src/graph/convert/table/tests.rs`.

| operator | limits |
|---|---|
";

fn page() -> String {
    OPERATORS.iter().fold(BEFORE.to_owned(), |mut page, operator| {
        writeln!(page, "| {} | {} |", operator.name, operator.limits).unwrap();
        page
    })
}

#[test]
fn the_documentation_lists_the_operators() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operators.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "{} is out of date; BLESS=1 cargo test writes it", path.display());
}

#[test]
fn the_table_is_in_order() {
    for pair in OPERATORS.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} and {}", pair[0].name, pair[1].name);
    }
}
