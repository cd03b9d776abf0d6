use std::collections::BTreeMap;

use super::{FILES, INDEX};

/// The least contrast of text, and of what is drawn, by WCAG 2.2 AA.
const TEXT: f64 = 4.5;
const DRAWN: f64 = 3.0;

fn content(name: &str) -> &'static str {
    FILES.iter().find(|(known, _, _)| *known == name).unwrap().2
}

#[test]
fn every_file_that_is_named_is_there_and_nothing_comes_from_elsewhere() {
    let all = FILES.iter().map(|(_, _, content)| *content).chain([INDEX]);
    let mut named = Vec::new();
    for text in all {
        for quote in text.split(['"', '\'']) {
            let file = quote.strip_prefix("/page/").or_else(|| quote.strip_prefix("./"));
            named.extend(file.filter(|file| !file.contains(char::is_whitespace)));
        }
        for address in
            text.split("http").skip(1).filter(|rest| rest.starts_with("://") || rest.starts_with("s://"))
        {
            // The name of a format, which nobody fetches.
            assert!(address.starts_with("://www.w3.org/2000/svg"), "{address:.60}");
        }
        for forbidden in
            ["innerHTML", "eval(", "insertAdjacentHTML", "document.write", "style=\"", "onclick="]
        {
            assert!(!text.contains(forbidden), "{forbidden}");
        }
    }
    assert!(named.len() > FILES.len(), "{named:?}");
    for file in &named {
        assert!(FILES.iter().any(|(known, _, _)| known == file), "there is no {file}");
    }
    for (known, _, _) in FILES {
        assert!(named.contains(&known), "nothing loads {known}");
    }
}

#[test]
fn every_element_that_a_script_looks_for_is_there_once() {
    let ids: Vec<&str> = INDEX.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id stands twice");
    for (name, _, script) in FILES.iter().filter(|(name, _, _)| name.ends_with(".js")) {
        for wanted in script.split("byId(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.contains(&wanted), "{name} looks for {wanted}");
        }
    }
}

/// The colours of `page.css`: those of the light scheme, those of the dark one.
fn schemes() -> [BTreeMap<&'static str, [f64; 3]>; 2] {
    let mut blocks = content("page.css").split(":root {").skip(1).map(|rest| {
        let block = rest.split('}').next().unwrap();
        let variables = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
        variables.map(|(name, hex)| (name, linear(hex))).collect::<BTreeMap<_, _>>()
    });
    [blocks.next().unwrap(), blocks.next().unwrap()]
}

fn linear(hex: &str) -> [f64; 3] {
    [0, 2, 4].map(|at| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |[red, green, blue]: [f64; 3]| 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn colours_can_be_told_apart_in_both_schemes() {
    for (scheme, colours) in ["light", "dark"].into_iter().zip(schemes()) {
        let of = |name: &str| colours[name];
        let at_least = |least: f64, name: &str, ground: &str| {
            let found = contrast(of(name), of(ground));
            assert!(found >= least, "{scheme}: {name} on {ground} is {found:.2}, not {least}");
        };
        for ground in ["ground", "card", "sunk"] {
            at_least(TEXT, "ink", ground);
            at_least(TEXT, "quiet", ground);
        }
        for name in ["within", "late", "failed", "accent"] {
            at_least(TEXT, name, "card");
        }
        at_least(TEXT, "on-accent", "accent");
        for name in ["edge", "wire", "cloud"] {
            at_least(DRAWN, name, "card");
        }
    }
}
