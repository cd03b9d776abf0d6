//! The figures as Markdown.

use std::fmt::Write as _;
use std::process::Command;

use schemas::{Codec, Compression, ElementFormat};

use super::figures::{AnswerFigures, CutFigures, LevelFigures, NetworkFigures, median};

/// The loss that the optimizer tolerates unless it is set otherwise.
const GREATEST_LOSS: f64 = 0.01;

pub fn provenance() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout);
    let rustc = String::from_utf8(rustc.unwrap_or_default()).unwrap_or_default();
    format!("Machine: {}, {threads} threads; {}.", model.trim_start_matches([' ', '\t', ':']), rustc.trim())
}

pub fn network(figures: &NetworkFigures) -> String {
    let NetworkFigures { name, pictures, folder, exact, cuts, .. } = figures;
    format!(
        "## {name}\n\n{} cuts between the two ends; {:.1} % of the {pictures} pictures of `{folder}` are \
         answered right on the exact frontier.\n\n{}\n{}\n{}",
        cuts.len(),
        exact.accuracy * 100.0,
        summary(figures),
        levels(&figures.levels),
        by_cut(figures),
    )
}

/// One row for each codec, over all cuts.
fn summary(figures: &NetworkFigures) -> String {
    let mut text = String::from(
        "| codec | bytes of f32, median (range) | encode MB/s | decode MB/s | accuracy lost: median, worst | \
         agreement: median, worst | cuts within 1 % |\n|---|---|---|---|---|---|---|\n",
    );
    for codec in Codec::ALL {
        let of = |value: &dyn Fn(&CutFigures) -> f64| figures.cuts.iter().map(value).collect::<Vec<_>>();
        let ratios = of(&|cut| cut.of(codec).bytes / cut.exact_bytes);
        // Megabytes of f32 a second.
        let encode = of(&|cut| cut.exact_bytes / cut.of(codec).encode_ms / 1e3);
        let decode = of(&|cut| cut.exact_bytes / cut.of(codec).decode_ms / 1e3);
        let losses = of(&|cut| loss(figures.exact, cut.answers_of(codec)));
        let agreements = of(&|cut| cut.answers_of(codec).agreement);
        let within = losses.iter().filter(|loss| **loss <= GREATEST_LOSS + 1e-9).count();
        writeln!(
            text,
            "| {codec} | {} ({}–{}) | {} | {} | {}, {} | {}, {} | {within} of {} |",
            percent(median(ratios.clone())),
            percent(least(&ratios)),
            percent(greatest(&ratios)),
            speed(median(encode)),
            speed(median(decode)),
            percent(median(losses.clone())),
            percent(greatest(&losses)),
            percent(median(agreements.clone())),
            percent(least(&agreements)),
            figures.cuts.len(),
        )
        .unwrap();
    }
    text
}

fn levels(levels: &[LevelFigures]) -> String {
    let mut text = String::from(
        "| Zstandard level | elements | bytes left | compress MB/s | decompress MB/s |\n|---|---|---|---|---|\n",
    );
    for figures in levels {
        let raw = figures.raw_bytes as f64;
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            figures.level,
            Codec::new(figures.elements, Compression::None),
            percent(figures.bytes as f64 / raw),
            speed(raw / figures.compress_ms / 1e3),
            speed(raw / figures.decompress_ms / 1e3),
        )
        .unwrap();
    }
    text
}

/// One row for each cut: sizes in kB, then accuracy lost in per cent (and agreement).
fn by_cut(figures: &NetworkFigures) -> String {
    let sizes =
        ["f32", "f32+zstd", "f16", "f16+zstd", "i8-channel", "i8-channel+lz4", "i8-channel+zstd", "i8"];
    let lossy = [ElementFormat::F16, ElementFormat::I8Channel, ElementFormat::I8];
    let mut text = format!("| cut | after | crosses | {} |", sizes.join(" | "));
    for elements in lossy {
        write!(text, " {} lost (agree) |", Codec::new(elements, Compression::None)).unwrap();
    }
    writeln!(text, "\n|{}", "---|".repeat(3 + sizes.len() + lossy.len())).unwrap();
    for cut in &figures.cuts {
        let shapes: Vec<String> = cut.shapes.iter().map(|shape| dimensions(shape)).collect();
        write!(text, "| {} | {} | {} |", cut.cut, cut.name, shapes.join(" + ")).unwrap();
        for size in sizes {
            write!(text, " {:.1} |", cut.of(size.parse().unwrap()).bytes / 1e3).unwrap();
        }
        for elements in lossy {
            let answers = cut.answers_of(Codec::new(elements, Compression::None));
            let lost = (figures.exact.accuracy - answers.accuracy) * 100.0;
            write!(text, " {lost:.1} ({:.0}) |", answers.agreement * 100.0).unwrap();
        }
        text.push('\n');
    }
    text
}

fn loss(exact: AnswerFigures, with: AnswerFigures) -> f64 {
    (exact.accuracy - with.accuracy).max(0.0)
}

fn dimensions(shape: &[u64]) -> String {
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join("×")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Nothing at all is done with what is only borrowed: that has no speed.
fn speed(value: f64) -> String {
    if value > 1e5 { "–".to_owned() } else { format!("{value:.0}") }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
