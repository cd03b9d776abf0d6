//! Bearer tokens: a file of names and SHA-256 digests; tokens themselves stand nowhere. Pure, but for reading the file.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Tokens in a file at most: each request is compared with every one, at some 50 ns.
const GREATEST_TOKENS: usize = 1024;
/// A longer file is none of tokens: so many of them and a comment of some 900 bytes to each fit.
const GREATEST_FILE: u64 = 1 << 20;
/// A name is one word that may stand in a log.
const LONGEST_NAME: usize = 64;
/// A longer text is no token; hashing it would cost more than it is worth.
const LONGEST_TOKEN: usize = 4096;

type Sha256Digest = [u8; 32];

/// Who may use HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens(Vec<(String, Sha256Digest)>);

impl Tokens {
    /// Reads a file of lines `<SHA-256 of a token, in hexadecimal> <name>`; empty lines and those that begin with `#` are
    /// passed over. The error says what to change.
    pub fn read(file: &Path) -> Result<Self, String> {
        let mut text = String::new();
        File::open(file)
            .and_then(|opened| opened.take(GREATEST_FILE + 1).read_to_string(&mut text))
            .map_err(|error| format!("{} cannot be read ({error})", file.display()))?;
        if text.len() as u64 > GREATEST_FILE {
            return Err(format!(
                "{} is larger than {GREATEST_FILE} bytes: it is no file of tokens",
                file.display()
            ));
        }
        Self::parse(&text).map_err(|problem| format!("{}: {problem}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<(String, Sha256Digest)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |problem: &str| format!("line {}: {problem}", number + 1);
            let (digest, name) = line
                .split_once(char::is_whitespace)
                .ok_or_else(|| at("write the SHA-256 of a token, a space and a name"))?;
            let digest = digest_of(digest)
                .ok_or_else(|| at("the first word is not a SHA-256 in 64 hexadecimal digits"))?;
            let name = name.trim();
            if name.len() > LONGEST_NAME || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(at("the name is one word of at most 64 characters"));
            }
            if tokens.iter().any(|(known, _)| known == name) {
                return Err(at("the name stands in the file twice"));
            }
            tokens.push((name.to_owned(), digest));
        }
        match tokens.len() {
            0 => Err("there is no token in it, so that nobody could use HTTP".to_owned()),
            1..=GREATEST_TOKENS => Ok(Self(tokens)),
            more => Err(format!("{more} tokens are more than the {GREATEST_TOKENS} that are taken")),
        }
    }

    /// The name of a token, in a time that does not depend on which one it is or how much of it is right.
    pub fn name_of(&self, token: &str) -> Option<&str> {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let digest: Sha256Digest = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (name, known) in &self.0 {
            let is_it: Choice = known.ct_eq(&digest);
            if is_it.into() {
                found = Some(name.as_str());
            }
        }
        found
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Tokens {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn digest_of(text: &str) -> Option<Sha256Digest> {
    let mut digest = [0; 32];
    // Digits only: the numbers' own parser would take a sign.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(token: &str, name: &str) -> String {
        let digest = Sha256::digest(token.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}  {name}\n")
    }

    #[test]
    fn a_token_is_known_by_its_digest() {
        let text = format!("# who\n\n{}{}", line("open sesame", "camera-1"), line("x", "camera-2"));
        let tokens = Tokens::parse(&text).unwrap();
        assert_eq!(tokens.count(), 2);
        assert_eq!(tokens.name_of("open sesame"), Some("camera-1"));
        assert_eq!(tokens.name_of("x"), Some("camera-2"));
        for wrong in ["", "open sesam", "open sesame ", "camera-1", &"x".repeat(LONGEST_TOKEN + 1)] {
            assert_eq!(tokens.name_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_has_no_digest() {
        let tokens = Tokens::parse(&line("secret", "robot")).unwrap();
        assert_eq!(format!("{tokens:?}"), r#"["robot"]"#);
    }

    #[test]
    fn broken_files_are_refused_by_line() {
        let good = line("t", "a");
        let cases = [
            (String::new(), "no token"),
            ("# nothing\n".to_owned(), "no token"),
            (good.trim_end_matches("  a\n").to_owned(), "line 1: write"),
            (format!("{good}secret b"), "line 2: the first word"),
            (format!("+{} b", &"0".repeat(63)), "line 1: the first word"),
            (format!("{good}{good}"), "line 2: the name stands"),
            (line("t", "two words"), "line 1: the name is one word"),
            (line("t", &"n".repeat(65)), "line 1: the name is one word"),
        ];
        for (text, says) in cases {
            let problem = Tokens::parse(&text).unwrap_err();
            assert!(problem.contains(says), "{problem} does not say {says}");
            assert!(!problem.contains("secret"), "{problem}");
        }
        for (file, says) in [("/nowhere/tokens", "cannot be read"), ("/dev/zero", "larger than 1048576")] {
            let problem = Tokens::read(Path::new(file)).unwrap_err();
            assert!(problem.contains(file) && problem.contains(says), "{problem}");
        }
    }
}
