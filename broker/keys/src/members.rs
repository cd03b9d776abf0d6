//! Who there is.

use std::fmt;
use std::str::FromStr;

use schemas::ServiceKind;

use crate::error::KeysError;

/// Somebody with a key of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A service; its instances share the key.
    Service(ServiceKind),
    /// Asks for inferences.
    Client,
    /// Sees metrics, receipts, events and what is stored; changes nothing.
    Observer,
    /// A person who runs the system: adds networks, chooses policies, has networks measured.
    Admin,
    /// An edge site's broker, at the hub.
    Leaf,
}

/// A broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The cloud site's.
    Hub,
    /// An edge site's: it stores, so that the site goes on alone.
    Edge,
}

/// What can be made anew although it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// A member's key.
    Key(Member),
    /// A broker's certificate and its key.
    Certificate(Place),
    /// The certificate authority, and with it every certificate.
    Authority,
}

impl Member {
    /// Everyone.
    pub const ALL: [Self; 10] = [
        Self::Service(ServiceKind::Gateway),
        Self::Service(ServiceKind::Scheduler),
        Self::Service(ServiceKind::EdgeExecutor),
        Self::Service(ServiceKind::CloudExecutor),
        Self::Service(ServiceKind::Tuner),
        Self::Service(ServiceKind::Optimizer),
        Self::Client,
        Self::Observer,
        Self::Admin,
        Self::Leaf,
    ];

    /// The name, one subject token: the user at the brokers, and the name of the key's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service(kind) => kind.as_str(),
            Self::Client => "client",
            Self::Observer => "observer",
            Self::Admin => "admin",
            Self::Leaf => "leaf",
        }
    }

    /// Whether a broker knows the member. A hub knows only who works there: what lies about on an edge device opens nothing
    /// at the cloud but what the site itself may do. An edge broker knows all services: it may be a site's only one.
    pub const fn is_known_at(self, place: Place) -> bool {
        match (self, place) {
            (Self::Leaf, place) => matches!(place, Place::Hub),
            (_, Place::Edge) => true,
            (Self::Service(kind), Place::Hub) => {
                matches!(kind, ServiceKind::CloudExecutor | ServiceKind::Optimizer)
            }
            (Self::Client | Self::Observer | Self::Admin, Place::Hub) => true,
        }
    }
}

impl Place {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Hub, Self::Edge];

    /// The name: of its folder, its files, and a host in its certificate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Edge => "edge",
        }
    }
}

impl Rotation {
    fn all() -> impl Iterator<Item = Self> {
        let keys = Member::ALL.into_iter().map(Self::Key);
        keys.chain(Place::ALL.map(Self::Certificate)).chain([Self::Authority])
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Key(member) => member.name(),
            Self::Certificate(place) => place.name(),
            Self::Authority => "ca",
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Rotation {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|rotation| rotation.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            KeysError::Rotation { name: text.to_owned(), known: names.join(", ") }
        })
    }
}
