//! One frame: requests and joules, what each edge does and takes to be true, the fronts, who is there.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Table};
use schemas::{EdgeOutlook, InstanceId, Joules, ModelName, Regret, ServiceState, UnixMillis};
use watch::Counts;

use crate::live::{Energy, Last, Live};

/// Not known.
const UNKNOWN: &str = "-";

/// Draws everything, as it is at `now`; what does not fit is cut off at the bottom of its part.
pub fn draw(frame: &mut Frame<'_>, live: &Live, now: UnixMillis) {
    let edges = edges(live);
    let fronts = u16::try_from(live.fronts().len()).unwrap_or(u16::MAX).saturating_add(3).min(8);
    let edges_height = u16::try_from(edges.len()).unwrap_or(u16::MAX).saturating_add(3).min(10);
    let [title, numbers, edges_area, fronts_area, instances, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(7),
        Constraint::Length(edges_height),
        Constraint::Length(fronts),
        Constraint::Min(4),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [requests, joules] = Layout::horizontal([Constraint::Percentage(50); 2]).areas(numbers);
    frame.render_widget(Line::from(headline(live)).bold(), title);
    draw_requests(frame, requests, live, now);
    draw_energy(frame, joules, live);
    draw_edges(frame, edges_area, &edges);
    draw_fronts(frame, fronts_area, live, now);
    draw_instances(frame, instances, live, now);
    frame.render_widget(Line::from("q or Ctrl-C leaves").dim(), keys);
}

/// Which policies decide, and how they compare.
fn headline(live: &Live) -> String {
    let Some(report) = live.reports().next() else {
        return "splinter top: no scheduler says anything".to_owned();
    };
    let others = live.reports().filter(|other| other.choice != report.choice).count();
    let policy = format!("splinter top: policy {}", report.choice.policy);
    let shadow = report.choice.shadow.map_or_else(String::new, |shadow| {
        let regret = report.regret.as_ref().map_or_else(String::new, in_words);
        format!(", in its shadow {shadow}{regret}")
    });
    let differ = if others > 0 { format!(" ({others} schedulers go by others)") } else { String::new() };
    format!("{policy}{shadow}{differ}")
}

/// What the shadow would do otherwise, a request.
fn in_words(regret: &Regret) -> String {
    if regret.compared == 0 {
        return String::new();
    }
    let mean = |sum: f64, count: u64| sum / count.max(1) as f64;
    let percent = |count: u64| 100.0 * count as f64 / regret.compared as f64;
    format!(
        " (predicted: {:.0} % within against {:.0} %, {:+.1} ms, {:+.3} J a request)",
        percent(regret.shadow_within),
        percent(regret.within),
        -mean(regret.latency_ms, regret.compared),
        -mean(regret.energy_j, regret.energy_compared),
    )
}

fn draw_requests(frame: &mut Frame<'_>, area: Rect, live: &Live, now: UnixMillis) {
    let (total, recent) = live.counts();
    let seconds = live.window_seconds(now);
    let rate =
        if seconds > 0.0 { format!("{:.1}/s", recent.all() as f64 / seconds) } else { UNKNOWN.to_owned() };
    let share = |counts: &Counts| {
        counts.within_percent().map_or_else(|| UNKNOWN.to_owned(), |percent| format!("{percent:.1} %"))
    };
    let row = |name: &'static str, of: fn(&Counts) -> u64| {
        Row::new([name.to_owned(), of(&recent).to_string(), of(&total).to_string()])
    };
    let rows = [
        row("within the limit", |counts| counts.within),
        row("late", |counts| counts.late),
        row("failed", |counts| counts.failed),
        Row::new(["share within".to_owned(), share(&recent), share(&total)]).style(verdict(&recent)),
    ];
    let widths = [Constraint::Min(16), Constraint::Length(10), Constraint::Length(10)];
    let title = format!(" requests {rate}, {} run otherwise than planned ", recent.fallbacks);
    let header = Row::new(["", "minute", "all"]).dim();
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(title)), area);
}

/// Green while nine of ten are within their limit, as the policy aims at more; red below half.
fn verdict(counts: &Counts) -> Style {
    match counts.within_percent() {
        Some(percent) if percent >= 90.0 => Style::new().fg(Color::Green),
        Some(percent) if percent < 50.0 => Style::new().fg(Color::Red),
        Some(_) => Style::new().fg(Color::Yellow),
        None => Style::new(),
    }
}

fn draw_energy(frame: &mut Frame<'_>, area: Rect, live: &Live) {
    let (total, recent) = live.energy();
    let row = |name: &'static str, of: fn(&Energy) -> Joules| {
        let a_request = match recent.requests {
            0 => UNKNOWN.to_owned(),
            requests => format!("{:.3} J", of(&recent).get() / requests as f64),
        };
        Row::new([name.to_owned(), a_request, format!("{:.1} J", of(&total).get())])
    };
    let rows = [
        row("edge", |energy| energy.edge),
        row("wire", |energy| energy.wire),
        row("cloud", |energy| energy.cloud),
        row("together", |energy| energy.edge + energy.wire + energy.cloud),
    ];
    let widths = [Constraint::Min(9), Constraint::Length(12), Constraint::Length(12)];
    let header = Row::new(["", "a request", "all"]).dim();
    let block = Block::bordered().title(" joules by place ");
    frame.render_widget(Table::new(rows, widths).header(header).block(block), area);
}

/// What one edge executor does with one network, and what is taken to be true there.
struct Edge<'a> {
    edge: &'a InstanceId,
    model: &'a ModelName,
    last: &'a Last,
    outlook: Option<&'a EdgeOutlook>,
}

fn edges(live: &Live) -> Vec<Edge<'_>> {
    let outlook = |edge: &InstanceId, model: &ModelName| {
        let mut all = live.reports().flat_map(|report| &report.edges);
        all.find(|outlook| outlook.edge == *edge && outlook.model == *model)
    };
    let ran = live.last().iter();
    ran.map(|((edge, model), last)| Edge { edge, model, last, outlook: outlook(edge, model) }).collect()
}

fn draw_edges(frame: &mut Frame<'_>, area: Rect, edges: &[Edge<'_>]) {
    let rows = edges.iter().map(|edge| {
        let latency = match edge.last.limit_ms {
            Some(limit) => format!("{:.0} of {:.0} ms", edge.last.latency_ms.get(), limit.get()),
            None => format!("{:.0} ms", edge.last.latency_ms.get()),
        };
        Row::new([
            format!("{} {}", edge.edge, edge.model),
            edge.last.configuration.to_string(),
            why(edge.last),
            latency,
            edge.outlook.map_or_else(|| UNKNOWN.to_owned(), link),
        ])
    });
    let widths = [
        Constraint::Percentage(20),
        Constraint::Percentage(24),
        Constraint::Percentage(26),
        Constraint::Percentage(12),
        Constraint::Percentage(18),
    ];
    let header = Row::new(["edge and network", "configuration", "why", "last", "link"]).dim();
    let block = Block::bordered().title(" now ");
    if edges.is_empty() {
        frame.render_widget(Paragraph::new("no request yet").block(block), area);
    } else {
        frame.render_widget(Table::new(rows, widths).header(header).block(block), area);
    }
}

fn why(last: &Last) -> String {
    let spaced = |text: &str| text.replace('_', " ");
    match (last.fallback, last.reason) {
        // What ran instead of the plan says more than the plan.
        (Some(fallback), _) => spaced(fallback.as_str()),
        (None, Some(reason)) => spaced(reason.as_str()),
        (None, None) => last.policy.map_or_else(|| UNKNOWN.to_owned(), |policy| policy.to_string()),
    }
}

fn link(outlook: &EdgeOutlook) -> String {
    let speed = outlook.link_mbit.map_or_else(String::new, |mbit| format!("{mbit:.1} Mbit/s, "));
    let age = outlook.link_age_ms.map_or_else(
        || ", as measured".to_owned(),
        |age| if age.get() < 2_000.0 { String::new() } else { format!(", {:.0} s ago", age.get() / 1e3) },
    );
    format!("{speed}{:.1} ms{age}", outlook.link_base_ms.get())
}

fn draw_fronts(frame: &mut Frame<'_>, area: Rect, live: &Live, now: UnixMillis) {
    let rows = live.fronts().iter().map(|front| {
        Row::new([
            front.model.to_string(),
            format!("{} and {}", front.edge, front.cloud),
            front.revision.to_string(),
            front.points.len().to_string(),
            age(front.ended_at, now),
        ])
    });
    let widths = [
        Constraint::Percentage(25),
        Constraint::Percentage(35),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Min(10),
    ];
    let header = Row::new(["network", "edge and cloud", "revision", "points", "measured"]).dim();
    let block = Block::bordered().title(" fronts ");
    frame.render_widget(Table::new(rows, widths).header(header).block(block), area);
}

fn draw_instances(frame: &mut Frame<'_>, area: Rect, live: &Live, now: UnixMillis) {
    let rows = live.presences().iter().map(|presence| {
        let models: Vec<&str> = presence.models.iter().map(|model| model.name.as_str()).collect();
        let state = match presence.state {
            ServiceState::Ready => "ready",
            ServiceState::Draining => "leaving",
        };
        let row = Row::new([
            presence.service.to_string(),
            presence.instance.to_string(),
            presence.node.to_string(),
            format!("{} of {}", presence.credits, presence.capacity),
            state.to_owned(),
            age(presence.at, now),
            models.join(", "),
        ]);
        // A full one refuses the next request.
        if presence.credits == 0 { row.style(Style::new().fg(Color::Yellow)) } else { row }
    });
    let widths = [
        Constraint::Length(15),
        Constraint::Percentage(22),
        Constraint::Percentage(16),
        Constraint::Length(10),
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Min(10),
    ];
    let header = Row::new(["service", "instance", "machine", "credits", "state", "seen", "networks"]).dim();
    let block = Block::bordered().title(" who is there ");
    frame.render_widget(Table::new(rows, widths).header(header).block(block), area);
}

/// How long ago, in the unit that people would say it in.
fn age(at: UnixMillis, now: UnixMillis) -> String {
    match now.0.saturating_sub(at.0) / 1_000 {
        seconds @ 0..=119 => format!("{seconds} s ago"),
        seconds @ 120..=7_199 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}
