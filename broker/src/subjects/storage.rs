//! What is stored in JetStream, and the subjects that reading and writing it take: who may do which is decided by them.

use schemas::ServiceKind;

use super::Subject;

/// A bucket of Splinter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Who is there: an entry an instance.
    Nodes,
    /// The published fronts.
    Fronts,
    /// What people chose while everything runs.
    Settings,
    /// Networks: the object store.
    Models,
}

impl Store {
    /// Every bucket.
    pub const ALL: [Self; 4] = [Self::Nodes, Self::Fronts, Self::Settings, Self::Models];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "splinter-nodes",
            Self::Fronts => "splinter-fronts",
            Self::Settings => "splinter-settings",
            Self::Models => "splinter-models",
        }
    }

    /// Publishing here reads it, and makes it where it is missing: the first who looks does so.
    pub fn reading(self) -> Vec<Subject> {
        let stream = self.stream();
        let mut subjects: Vec<Subject> = [
            "STREAM.INFO.{}",
            "STREAM.CREATE.{}",
            "STREAM.MSG.GET.{}",
            "DIRECT.GET.{}",
            "DIRECT.GET.{}.>",
            "CONSUMER.CREATE.{}",
            "CONSUMER.CREATE.{}.>",
            "CONSUMER.INFO.{}.*",
            "CONSUMER.DELETE.{}.*",
        ]
        .map(|pattern| Subject(format!("$JS.API.{}", pattern.replace("{}", &stream))))
        .into();
        // Answers to the flow control of a watch; and whether there is a store at all, which is asked before one is made.
        subjects.push(Subject(format!("$JS.FC.{stream}.>")));
        subjects.push(Subject("$JS.API.INFO".into()));
        subjects
    }

    /// Publishing here writes any entry.
    pub fn writing(self) -> Vec<Subject> {
        match self {
            Self::Models => vec![
                Subject(format!("$O.{}.>", self.name())),
                // The pieces of a network that was replaced.
                Subject(format!("$JS.API.STREAM.PURGE.{}", self.stream())),
            ],
            _ => vec![Subject(format!("$KV.{}.>", self.name()))],
        }
    }

    /// Publishing here changes how many revisions are kept.
    pub fn changing(self) -> Subject {
        Subject(format!("$JS.API.STREAM.UPDATE.{}", self.stream()))
    }

    fn stream(self) -> String {
        match self {
            Self::Models => format!("OBJ_{}", self.name()),
            _ => format!("KV_{}", self.name()),
        }
    }
}

/// Publishing here writes the presences of a service's instances.
pub fn presences_of(service: ServiceKind) -> Subject {
    Subject(format!("$KV.{}.{service}.*", Store::Nodes.name()))
}

/// Publishing here does anything to anything that is stored.
pub fn storage_any() -> Vec<Subject> {
    ["$JS.API.>", "$JS.FC.>", "$KV.>", "$O.>"].map(|text| Subject(text.into())).into()
}
