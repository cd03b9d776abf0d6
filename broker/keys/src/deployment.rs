//! The folder of a deployment: what must be in it, and what of that is made anew.

use std::path::{Path, PathBuf};

use broker::server::configuration::{Access, Configuration, ConnectionKind, Hub, LeafPort, TlsFiles, User};
use serde::{Deserialize, Serialize};

use crate::authority::{Authority, Ending, Issued, belongs_to, host_name};
use crate::error::KeysError;
use crate::files::{self, Readers};
use crate::members::{Member, Place, Rotation};
use crate::readme;

/// The port of NATS, for the clients of either broker.
const CLIENT_PORT: u16 = 4222;

/// The port of NATS for leaf connections.
const LEAF_PORT: u16 = 7422;

/// The folders in it. The edge's broker keeps what it stores in `data`, so that a disk or a volume can lie there.
const FOLDERS: [&str; 6] = ["", "ca", "hub", "edge", DATA, "services"];
const DATA: &str = "edge/data";

/// What was asked for the last time, in the folder.
const SETTINGS: &str = "deployment.json";

/// What is wanted. What is not said is as it was the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// How edge sites reach the hub: names and addresses in its certificate. `hub` where none was ever given.
    pub hub_hosts: Vec<String>,
    /// How clients reach the edge's broker, where not from its own machine. `edge` where none was ever given.
    pub edge_hosts: Vec<String>,
    /// The hub's port for edge sites; 7422 where none was ever given.
    pub leaf_port: Option<u16>,
    /// What is made anew although it is there.
    pub rotate: Vec<Rotation>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The folder.
    pub folder: PathBuf,
    /// Every file in it.
    pub files: Vec<Entry>,
    /// What is to be done now, in order.
    pub next: Vec<String>,
}

/// A file, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The file, in the folder.
    pub file: String,
    /// What happened.
    pub change: Change,
    /// When it ends, for a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there.
    Made,
    /// It was there and stays.
    Kept,
    /// Another one was there.
    Replaced,
}

/// What a folder remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) hub_hosts: Vec<String>,
    pub(crate) edge_hosts: Vec<String>,
    pub(crate) leaf_port: u16,
}

/// Makes the folder of a deployment, or what is missing in it, or what was asked for to be made anew.
///
/// # Errors
/// When a file cannot be read or written, is not what it should be, or a host cannot be named by a certificate.
pub fn make(folder: &Path, request: &Request) -> Result<Report, KeysError> {
    for host in request.hub_hosts.iter().chain(&request.edge_hosts) {
        host_name(host)?;
    }
    FOLDERS.iter().try_for_each(|name| files::private_folder(&folder.join(name)))?;
    let before: Option<Settings> = files::read(&folder.join(SETTINGS))?
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| KeysError::Unfit { path: folder.join(SETTINGS), what: "settings of a deployment" })?;
    let settings = settings(before.as_ref(), request);
    let mut work = Work { folder, rotate: &request.rotate, files: Vec::new() };
    let authority = work.authority()?;
    let hosts = |settings: &Settings, place| match place {
        Place::Hub => settings.hub_hosts.clone(),
        Place::Edge => settings.edge_hosts.clone(),
    };
    for place in Place::ALL {
        let named = before.as_ref().is_none_or(|before| hosts(before, place) == hosts(&settings, place));
        work.certificate(place, &hosts(&settings, place), &authority, named)?;
    }
    let keys: Vec<(Member, nkeys::KeyPair)> = Member::ALL
        .into_iter()
        .map(|member| Ok((member, work.key(member)?)))
        .collect::<Result<_, KeysError>>()?;
    for place in Place::ALL {
        let text = readme::of_configuration(place) + &configuration(place, &settings, &keys)?.text();
        work.put(&format!("{}/nats.conf", place.name()), &text, Readers::Owner)?;
    }
    let remembered = serde_json::to_string_pretty(&settings).unwrap_or_default();
    work.put(SETTINGS, &remembered, Readers::All)?;
    work.put("README", &readme::text(&settings, &keys), Readers::All)?;
    let next = readme::next(&work.files);
    Ok(Report { folder: folder.to_owned(), files: work.files, next })
}

fn settings(before: Option<&Settings>, request: &Request) -> Settings {
    let hosts = |asked: &[String], before: Option<&Vec<String>>, place: Place| match (asked, before) {
        ([], Some(before)) => before.clone(),
        ([], None) => vec![place.name().to_owned()],
        (asked, _) => asked.to_vec(),
    };
    Settings {
        hub_hosts: hosts(&request.hub_hosts, before.map(|before| &before.hub_hosts), Place::Hub),
        edge_hosts: hosts(&request.edge_hosts, before.map(|before| &before.edge_hosts), Place::Edge),
        leaf_port: request.leaf_port.or(before.map(|before| before.leaf_port)).unwrap_or(LEAF_PORT),
    }
}

fn configuration(
    place: Place,
    settings: &Settings,
    keys: &[(Member, nkeys::KeyPair)],
) -> Result<Configuration, KeysError> {
    // Found from the configuration's own folder, where the server is started.
    let name = place.name();
    let tls = TlsFiles {
        authority: "ca.pem".into(),
        certificate: format!("{name}.pem").into(),
        key: format!("{name}-key.pem").into(),
    };
    let known = keys.iter().filter(|(member, _)| member.is_known_at(place));
    let users = known.map(|(member, key)| User {
        name: member.name().to_owned(),
        public_key: key.public_key(),
        connection: if *member == Member::Leaf { ConnectionKind::Leaf } else { ConnectionKind::Client },
        permissions: member.rights(),
    });
    let mut access = Access { users: users.collect(), tls: Some(tls.clone()), ..Access::default() };
    match place {
        Place::Hub => access.leafs = Some(LeafPort { port: settings.leaf_port, tls }),
        Place::Edge => {
            let addresses =
                settings.hub_hosts.iter().map(|host| format!("{}:{}", bracketed(host), settings.leaf_port));
            let leaf = keys.iter().find(|(member, _)| *member == Member::Leaf);
            let seed = leaf.map_or_else(|| Ok(String::new()), |(member, key)| seed(*member, key))?;
            access.hub = Some(Hub { addresses: addresses.collect(), seed, tls });
        }
    }
    Ok(Configuration {
        name: format!("splinter-{name}"),
        port: CLIENT_PORT,
        log: None,
        store: (place == Place::Edge).then(|| "data".into()),
        access: Some(access),
    })
}

/// A host as it stands before a port.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn seed(member: Member, key: &nkeys::KeyPair) -> Result<String, KeysError> {
    key.seed().map_err(|error| KeysError::Key { name: member.name(), reason: error.to_string() })
}

/// The folder while it is made.
struct Work<'a> {
    folder: &'a Path,
    rotate: &'a [Rotation],
    files: Vec<Entry>,
}

/// The certificate authority: its certificate, and what it signs with where that is at hand.
struct Signer {
    certificate: String,
    authority: Option<Authority>,
    key: PathBuf,
    is_new: bool,
}

impl Work<'_> {
    fn rotates(&self, what: Rotation) -> bool {
        self.rotate.contains(&what)
    }

    /// Its key may lie elsewhere: it is needed only when something is signed.
    fn authority(&mut self) -> Result<Signer, KeysError> {
        let (place, key_place) = ("ca/ca.pem", "ca/ca-key.pem");
        let (path, key_path) = (self.folder.join(place), self.folder.join(key_place));
        let there = files::read(&path)?.filter(|_| !self.rotates(Rotation::Authority));
        let Some(certificate) = there else {
            let Issued { certificate, key } = Authority::make()?;
            self.put(key_place, &key, Readers::Owner)?;
            self.put(place, &certificate, Readers::All)?;
            let authority = Authority::read(&certificate, &key);
            return Ok(Signer { certificate, authority, key: key_path, is_new: true });
        };
        let unfit = |path: &Path, what| KeysError::Unfit { path: path.to_owned(), what };
        Ending::of(&certificate).ok_or_else(|| unfit(&path, "certificate (PEM)"))?;
        self.note(place, Change::Kept, Some(&certificate));
        let authority = match files::read(&key_path)? {
            Some(key) => {
                self.note(key_place, Change::Kept, None);
                let fit =
                    belongs_to(&certificate, &key).then(|| Authority::read(&certificate, &key)).flatten();
                Some(fit.ok_or_else(|| unfit(&key_path, "key of ca.pem"))?)
            }
            None => None,
        };
        Ok(Signer { certificate, authority, key: key_path, is_new: false })
    }

    /// Keeps a broker's certificate unless it ends soon, names other hosts, does not fit its key, or is to be replaced.
    fn certificate(
        &mut self,
        place: Place,
        hosts: &[String],
        signer: &Signer,
        named: bool,
    ) -> Result<(), KeysError> {
        let name = place.name();
        let (file, key_file) = (format!("{name}/{name}.pem"), format!("{name}/{name}-key.pem"));
        self.put(&format!("{name}/ca.pem"), &signer.certificate, Readers::All)?;
        let there = (files::read(&self.folder.join(&file))?, files::read(&self.folder.join(&key_file))?);
        if let (Some(certificate), Some(key)) = &there {
            let stays = named && !signer.is_new && !self.rotates(Rotation::Certificate(place));
            let ends_soon = Ending::of(certificate).is_none_or(Ending::is_near);
            if stays && !ends_soon && belongs_to(certificate, key) {
                self.note(&file, Change::Kept, Some(certificate));
                self.note(&key_file, Change::Kept, None);
                return Ok(());
            }
        }
        let missing =
            || KeysError::Unfit { path: signer.key.clone(), what: "key of the certificate authority" };
        let issued = signer.authority.as_ref().ok_or_else(missing)?.issue(name, hosts)?;
        self.put(&key_file, &issued.key, Readers::Owner)?;
        self.put(&file, &issued.certificate, Readers::All)
    }

    fn key(&mut self, member: Member) -> Result<nkeys::KeyPair, KeysError> {
        let file = format!("services/{}.nk", member.name());
        let path = self.folder.join(&file);
        match files::read(&path)?.filter(|_| !self.rotates(Rotation::Key(member))) {
            Some(text) => {
                let key = nkeys::KeyPair::from_seed(text.trim());
                let key = key.map_err(|_| KeysError::Unfit { path, what: "nkey seed (SU...)" })?;
                self.note(&file, Change::Kept, None);
                Ok(key)
            }
            None => {
                let key = nkeys::KeyPair::new_user();
                self.put(&file, &seed(member, &key)?, Readers::Owner)?;
                Ok(key)
            }
        }
    }

    /// Writes a file, unless it says the same already.
    fn put(&mut self, file: &str, text: &str, readers: Readers) -> Result<(), KeysError> {
        let path = self.folder.join(file);
        let change = match files::read(&path)? {
            Some(before) if before == text => Change::Kept,
            Some(_) => Change::Replaced,
            None => Change::Made,
        };
        if change != Change::Kept {
            files::write(&path, text, readers)?;
        }
        self.note(file, change, Some(text));
        Ok(())
    }

    fn note(&mut self, file: &str, change: Change, text: Option<&str>) {
        let ends = text.and_then(Ending::of).map(|ending| ending.at.date().to_string());
        self.files.push(Entry { file: file.to_owned(), change, ends });
    }
}
