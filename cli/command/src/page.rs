//! Pages with a plot: one file each, which needs neither network nor other files.

use std::path::Path;

use plotly::configuration::DisplayModeBar;
use plotly::{Configuration, Plot};

use crate::output;

/// A page with one plot.
pub struct Page {
    /// Its name, also above the plot.
    pub title: String,
    /// What is to be seen, in a sentence or two.
    pub about: String,
    /// The plot.
    pub plot: Plot,
}

impl Page {
    /// Writes the page, whole or not at all.
    pub fn write(mut self, path: &Path) -> anyhow::Result<()> {
        let configuration =
            Configuration::new().responsive(true).display_logo(false).display_mode_bar(DisplayModeBar::Hover);
        self.plot.set_configuration(configuration);
        output::write_whole(path, self.html().as_bytes())
    }

    fn html(&self) -> String {
        let Self { title, about, plot } = self;
        // The first script is plotly's; the second, for formulas, is of no use here.
        let scripts = Plot::offline_js_sources();
        let script = scripts.split_inclusive("</script>").next().unwrap_or_default();
        let (title, about) = (escaped(title), escaped(about));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n{script}\n</head>\n<body>\n<h1>{title}</h1>\n<p>{about}</p>\n\
             <main>{}</main>\n</body>\n</html>\n",
            plot.to_inline_html(Some("plot"))
        )
    }
}

const STYLE: &str = "body{font:16px/1.4 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem}\
h1{font-size:1.3rem}main{height:75vh;min-height:26rem}#plot{height:100%;width:100%;max-width:calc(100vw - 2rem)}";

/// Text that HTML shows as it is.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
