//! What each member may do: the least that it needs, by the subjects that the code itself uses.

use broker::server::configuration::{Permissions, Responses};
use broker::subjects::{self, Store, Subject};
use schemas::ServiceKind;

use crate::members::{Member, Place};

/// Answers to one request: an ACCEPT each 250 ms of the minute that a request may take, and the RESULT; and as long for it.
const TO_A_REQUEST: Responses = Responses { most: 300, within_s: 90 };

/// Answers to a request to measure, which may take three hours.
const TO_A_CAMPAIGN: Responses = Responses { most: 50_000, within_s: 11_000 };

/// Services at an edge site: their metrics and questions to them stay there.
const AT_THE_EDGE: [ServiceKind; 4] =
    [ServiceKind::Gateway, ServiceKind::Scheduler, ServiceKind::EdgeExecutor, ServiceKind::Tuner];

/// Services at the hub.
const AT_THE_HUB: [ServiceKind; 2] = [ServiceKind::CloudExecutor, ServiceKind::Optimizer];

/// Members who may be on either side.
const ANYWHERE: [Member; 3] = [Member::Client, Member::Observer, Member::Admin];

impl Member {
    /// What the member may do at a broker that knows it.
    pub fn rights(self) -> Permissions {
        match self {
            Self::Service(kind) => service(kind),
            Self::Client => client(),
            Self::Observer => observer(),
            Self::Admin => admin(),
            Self::Leaf => leaf(),
        }
    }

    fn inbox(self) -> Subject {
        subjects::inbox_any(self.name())
    }
}

fn service(kind: ServiceKind) -> Permissions {
    let (calls, stores) = needs(kind);
    let mut publish = calls;
    publish.push(subjects::metrics_of(kind));
    publish.push(subjects::presences_of(kind));
    // A message to itself tells a service that the broker has dealt with everything before it.
    publish.push(Member::Service(kind).inbox());
    publish.extend(stores.iter().flat_map(|store| store.reading()));
    let mut subscribe = serves(kind);
    subscribe.push(subjects::info_of(kind));
    subscribe.extend(subjects::framework_questions_to(kind));
    subscribe.push(Member::Service(kind).inbox());
    let responses = Some(if kind == ServiceKind::Optimizer { TO_A_CAMPAIGN } else { TO_A_REQUEST });
    Permissions { publish, subscribe, responses }
}

/// What a service listens to beside what every service does.
fn serves(kind: ServiceKind) -> Vec<Subject> {
    match kind {
        ServiceKind::Gateway => {
            vec![subjects::infer_any(), subjects::receipt_any(), subjects::metrics_of(ServiceKind::Scheduler)]
        }
        ServiceKind::Scheduler => vec![subjects::plan_any(), subjects::receipt_any()],
        ServiceKind::EdgeExecutor => {
            vec![subjects::execute_edge_any(), subjects::describe_any(), subjects::link_any()]
        }
        ServiceKind::CloudExecutor => vec![subjects::execute_cloud_any(), subjects::describe_any()],
        ServiceKind::Tuner => vec![subjects::tune_any()],
        ServiceKind::Optimizer => vec![subjects::optimize_any(), subjects::receipt_any()],
    }
}

/// Where a service publishes beside where every service does, and what it reads.
fn needs(kind: ServiceKind) -> (Vec<Subject>, Vec<Store>) {
    match kind {
        ServiceKind::Gateway => (
            vec![subjects::plan_any(), subjects::execute_edge_any(), subjects::receipt_any()],
            vec![Store::Nodes, Store::Fronts],
        ),
        ServiceKind::Scheduler => (vec![], vec![Store::Nodes, Store::Fronts, Store::Settings]),
        ServiceKind::EdgeExecutor => {
            (vec![subjects::execute_cloud_any(), subjects::tune_any()], vec![Store::Nodes, Store::Models])
        }
        ServiceKind::CloudExecutor => (vec![], vec![Store::Nodes, Store::Models]),
        ServiceKind::Tuner => (vec![], vec![Store::Nodes]),
        ServiceKind::Optimizer => {
            let mut calls = vec![
                subjects::execute_edge_any(),
                subjects::execute_cloud_any(),
                subjects::tune_any(),
                subjects::describe_any(),
                subjects::info_any(),
                subjects::event_any(),
                Store::Fronts.changing(),
            ];
            calls.extend(Store::Fronts.writing());
            (calls, vec![Store::Nodes, Store::Fronts])
        }
    }
}

fn client() -> Permissions {
    let inbox = Member::Client.inbox();
    Permissions {
        publish: vec![subjects::infer_any(), inbox.clone()],
        subscribe: vec![inbox],
        responses: None,
    }
}

/// What observers and admins listen to.
fn observed(member: Member) -> Vec<Subject> {
    vec![subjects::metrics_any(), subjects::receipt_any(), subjects::event_any(), member.inbox()]
}

fn observer() -> Permissions {
    let mut publish = vec![subjects::framework_questions_any(), Member::Observer.inbox()];
    publish.extend([Store::Nodes, Store::Fronts, Store::Settings].iter().flat_map(|store| store.reading()));
    Permissions { publish, subscribe: observed(Member::Observer), responses: None }
}

fn admin() -> Permissions {
    let mut publish = vec![
        subjects::infer_any(),
        subjects::optimize_any(),
        subjects::describe_any(),
        subjects::link_any(),
        subjects::info_any(),
        subjects::framework_questions_any(),
        Member::Admin.inbox(),
    ];
    publish.extend(subjects::storage_any());
    Permissions { publish, subscribe: observed(Member::Admin), responses: None }
}

/// What an edge site may say at the hub, and hear from it. The hub's services look at what the site stores.
fn leaf() -> Permissions {
    let mut publish = vec![
        subjects::execute_cloud_any(),
        subjects::optimize_any(),
        subjects::describe_any(),
        subjects::receipt_any(),
        subjects::event_any(),
        subjects::framework_questions_any(),
    ];
    publish.extend(AT_THE_EDGE.map(subjects::metrics_of));
    publish.extend(AT_THE_HUB.map(subjects::info_of));
    publish.extend(AT_THE_HUB.map(|kind| Member::Service(kind).inbox()));
    publish.extend(ANYWHERE.map(Member::inbox));
    let mut subscribe = vec![
        subjects::infer_any(),
        subjects::execute_edge_any(),
        subjects::tune_any(),
        subjects::link_any(),
        subjects::describe_any(),
        subjects::metrics_any(),
        subjects::receipt_any(),
        subjects::event_any(),
        subjects::framework_questions_any(),
    ];
    subscribe.extend(subjects::storage_any());
    subscribe.extend(AT_THE_EDGE.map(subjects::info_of));
    subscribe.extend(AT_THE_EDGE.map(|kind| Member::Service(kind).inbox()));
    subscribe.extend(ANYWHERE.map(Member::inbox));
    Permissions { publish, subscribe, responses: None }
}

/// Columns of a line in our pages.
const COLUMNS: usize = 128;

/// The rights of everyone for people, in Markdown: a paragraph a member.
pub fn rights_in_words() -> String {
    let mut page = String::new();
    for member in Member::ALL {
        let Permissions { publish, subscribe, responses } = member.rights();
        let places: Vec<&str> =
            Place::ALL.into_iter().filter(|place| member.is_known_at(*place)).map(Place::name).collect();
        let answers = responses.map_or_else(String::new, |Responses { most, within_s }| {
            format!(", answers each request with up to {most} messages within {within_s} s")
        });
        page.push_str(&format!("\n`{}`, known at {}{answers}\n", member.name(), places.join(" and ")));
        page.push_str(&wrapped("- publishes", &in_words(&publish)));
        page.push_str(&wrapped("- subscribes", &in_words(&subscribe)));
    }
    page.push('\n');
    page
}

/// The subjects, with what it takes to read a bucket said in two words.
fn in_words(all: &[Subject]) -> Vec<String> {
    let read: Vec<Store> =
        Store::ALL.into_iter().filter(|store| store.reading().iter().all(|one| all.contains(one))).collect();
    let told = |subject: &&Subject| !read.iter().any(|store| store.reading().contains(subject));
    let subjects = all.iter().filter(told).map(|subject| format!("`{subject}`"));
    let buckets = read.iter().map(|store| format!("what reading `{}` takes", store.name()));
    subjects.chain(buckets).collect()
}

/// An item of a list, in lines that are not too long.
fn wrapped(begin: &str, items: &[String]) -> String {
    let mut lines = vec![begin.to_owned()];
    for (index, item) in items.iter().enumerate() {
        let item = if index + 1 < items.len() { format!("{item},") } else { item.clone() };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + item.len() <= COLUMNS => *line = format!("{line} {item}"),
            _ => lines.push(format!("  {item}")),
        }
    }
    lines.join("\n") + "\n"
}
