//! The page: everything in one file.

use std::fmt::Write as _;

use plotly::Plot;
use plotly::configuration::{Configuration, DisplayModeBar};

use super::Report;
use super::figure::{Content, Figure, Section, Table};

impl Report {
    /// The report as one page with everything in it: it needs no network and no other file.
    pub fn html(&self) -> String {
        // The first script is plotly's; the second, for formulas, is of no use here.
        let scripts = Plot::offline_js_sources();
        let script = scripts.split_inclusive("</script>").next().unwrap_or_default();
        let title = escaped(&self.title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n{script}\n</head>\n<body>\n<header><h1>{title}</h1>\n"
        );
        facts(&mut page, &self.facts);
        contents(&mut page, &self.sections);
        page.push_str("</header>\n<main>\n");
        for part in &self.sections {
            section(&mut page, part);
        }
        page.push_str("</main>\n<script>");
        page.push_str(PRINTING);
        page.push_str("</script>\n</body>\n</html>\n");
        page
    }
}

/// Writing to a text cannot fail; this is where that is said.
macro_rules! put {
    ($page:expr, $($text:tt)*) => { let _infallible = writeln!($page, $($text)*); };
}

fn facts(page: &mut String, facts: &[(String, String)]) {
    page.push_str("<dl>\n");
    for (name, value) in facts {
        put!(page, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
    }
    page.push_str("</dl>\n");
}

fn contents(page: &mut String, sections: &[Section]) {
    page.push_str("<nav aria-label=\"Contents\"><ul>\n");
    for section in sections {
        put!(page, "<li><a href=\"#{}\">{}</a></li>", section.name, escaped(&section.title));
    }
    page.push_str("</ul></nav>\n");
}

fn section(page: &mut String, section: &Section) {
    let (title, about) = (escaped(&section.title), escaped(&section.about));
    put!(page, "<section id=\"{}\">\n<h2>{title}</h2>\n<p>{about}</p>", section.name);
    for one in &section.figures {
        figure(page, one);
    }
    page.push_str("</section>\n");
}

fn figure(page: &mut String, figure: &Figure) {
    let Figure { name, title, caption, content, table } = figure;
    put!(page, "<figure id=\"{name}\">\n<h3>{}</h3>", escaped(title));
    match content {
        Content::Plot { plot, height, .. } => {
            let mut plot = plot.clone();
            let configuration = Configuration::new()
                .responsive(true)
                .display_logo(false)
                .display_mode_bar(DisplayModeBar::Hover);
            plot.set_configuration(configuration);
            put!(
                page,
                "<div class=\"plot\" style=\"height:{height}px\" role=\"img\" aria-label=\"{}\">",
                escaped(title)
            );
            page.push_str(&plot.to_inline_html(Some(&format!("plot-{name}"))));
            put!(page, "</div>\n<figcaption>{}</figcaption>", escaped(caption));
        }
        Content::Missing(why) => {
            put!(page, "<p class=\"missing\">Nothing to show. {}</p>", escaped(why));
        }
    }
    if !table.rows.is_empty() {
        numbers(page, table);
    }
    page.push_str("</figure>\n");
}

/// A table of so many rows is shown; the rest of a longer one is in its CSV file.
const MOST_ROWS: usize = 60;

fn numbers(page: &mut String, table: &Table) {
    let left_out = table.rows.len().saturating_sub(MOST_ROWS);
    page.push_str("<details><summary>Numbers</summary>\n<div class=\"scroll\"><table>\n<thead><tr>");
    for column in &table.columns {
        put!(page, "<th>{}</th>", escaped(column));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in table.rows.iter().take(MOST_ROWS) {
        page.push_str("<tr>");
        for cell in row {
            // What is not known is said to be so.
            let text = if cell.is_empty() { "–".to_owned() } else { escaped(cell) };
            let _infallible = write!(page, "<td>{text}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>");
    if left_out > 0 {
        put!(page, "<p>{left_out} more rows are in the CSV file.</p>");
    }
    page.push_str("</details>\n");
}

/// Plots are drawn for the screen's width; for paper they are drawn again for the paper's.
const PRINTING: &str = "addEventListener('beforeprint',()=>document.querySelectorAll('.plotly-graph-div')\
.forEach(plot=>Plotly.relayout(plot,{width:680})));\
addEventListener('afterprint',()=>document.querySelectorAll('.plotly-graph-div')\
.forEach(plot=>Plotly.relayout(plot,{width:null,autosize:true})));";

const STYLE: &str = "\
:root{color-scheme:light}*{box-sizing:border-box}\
body{font:16px/1.45 system-ui,sans-serif;color:#222;background:#fff;margin:0 auto;max-width:1080px;padding:1rem}\
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.25rem;border-bottom:2px solid #0072b2;padding-bottom:.2rem;margin-top:2.2rem}\
h3{font-size:1.05rem;margin:.2rem 0 .4rem}\
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:.3rem 1.2rem;margin:.8rem 0}\
dt{font-size:.8rem;color:#555}dd{margin:0;overflow-wrap:anywhere}\
nav ul{padding-left:1.2rem;margin:.6rem 0}a{color:#0060a0}\
figure{margin:1.4rem 0 2rem}.plot{width:100%;max-width:calc(100vw - 2rem)}\
figcaption{font-size:.9rem;color:#444;margin-top:.3rem}\
.missing{border:1px dashed #888;border-radius:4px;padding:.8rem;color:#444;background:#f6f6f6}\
details{margin-top:.4rem;font-size:.85rem}summary{cursor:pointer;color:#0060a0}.scroll{overflow-x:auto}\
table{border-collapse:collapse;margin:.4rem 0}th,td{border-bottom:1px solid #ddd;padding:.2rem .6rem;text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}\
/* Beside the figure's title, where it hides no legend. */.modebar-container{top:-30px!important}\
@media (max-width:600px){.modebar{display:none!important}}\
@media print{body{max-width:none;padding:0;font-size:11pt}nav,details,.modebar{display:none!important}figure{break-inside:avoid}\
h2,h3{break-after:avoid}.plot{max-width:none}}";

/// Text that HTML shows as it is, also inside quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
