//! `docs/security.md` says what the code does.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- Made by a test (BLESS=1 cargo test -p keys documentation): begin -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_security_page_has_the_rights_that_the_brokers_get() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the list begins");
    let (_, after) = rest.split_once(END).expect("the list ends");
    let right = format!("{before}{BEGIN}{}{END}{after}", keys::rights_in_words());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &right).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == right, "{} is out of date; BLESS=1 cargo test writes it", path.display());
}
