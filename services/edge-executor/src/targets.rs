//! Which cloud executors to ask, and in which order. Pure code.

use schemas::{Digest, InstanceId, ModelName, Presence, ServiceKind, ServiceState};

/// Executors asked for one tail at most. Each that is asked in vain costs a part of the time left.
const GREATEST: usize = 3;

/// Whom to ask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// These, in this order; none when all that are known fell silent.
    Instances(Vec<InstanceId>),
    /// Nobody is known: whoever listens.
    Anybody,
}

/// The planned executor first, then those that serve this very network, most credits first; never one that fell silent.
pub(crate) fn choose(
    planned: Option<&InstanceId>,
    (model, digest): (&ModelName, &Digest),
    presences: &[Presence],
    fell_silent: impl Fn(&InstanceId) -> bool,
) -> Targets {
    let serves = |presence: &&Presence| {
        presence.service == ServiceKind::CloudExecutor
            && presence.state == ServiceState::Ready
            && presence.models.iter().any(|served| served.name == *model && served.digest == *digest)
    };
    let mut others: Vec<&Presence> = presences.iter().filter(serves).collect();
    if planned.is_none() && others.is_empty() {
        return Targets::Anybody;
    }
    others.sort_by_key(|presence| std::cmp::Reverse(presence.credits));
    let others = others.into_iter().map(|presence| &presence.instance);
    let others = others.filter(|instance| Some(*instance) != planned);
    let asked = planned.into_iter().chain(others).filter(|instance| !fell_silent(instance));
    Targets::Instances(asked.take(GREATEST).cloned().collect())
}

#[cfg(test)]
mod tests {
    use schemas::{Cut, DataType, NodeId, ServedModel, TensorSignature, UnixMillis};

    use super::*;

    fn model() -> ModelName {
        "shapes".parse().unwrap()
    }

    fn digest() -> Digest {
        Digest::from_bytes([1; 32])
    }

    fn instance(name: &str) -> InstanceId {
        name.parse().unwrap()
    }

    fn cloud(name: &str, credits: u32) -> Presence {
        let signature = TensorSignature { name: "x".into(), data_type: DataType::F32, shape: vec![1] };
        Presence {
            service: ServiceKind::CloudExecutor,
            instance: instance(name),
            node: "cloud".parse::<NodeId>().unwrap(),
            version: "0.1.0".into(),
            state: ServiceState::Ready,
            credits,
            capacity: 8,
            models: vec![ServedModel {
                name: model(),
                digest: digest(),
                last_cut: Cut(9),
                input: signature.clone(),
                output: signature,
                accelerators: Vec::new(),
            }],
            hardware: None,
            at: UnixMillis(0),
        }
    }

    fn chosen(planned: Option<&str>, presences: &[Presence], silent: &[&str]) -> Targets {
        let planned = planned.map(instance);
        let fell_silent = |instance: &InstanceId| silent.contains(&instance.as_str());
        choose(planned.as_ref(), (&model(), &digest()), presences, fell_silent)
    }

    #[test]
    fn who_is_asked_in_which_order() {
        let other_version = Presence {
            models: vec![ServedModel {
                digest: Digest::from_bytes([2; 32]),
                ..cloud("x", 9).models.remove(0)
            }],
            ..cloud("newer", 9)
        };
        let leaving = Presence { state: ServiceState::Draining, ..cloud("leaving", 9) };
        let all = [cloud("a", 1), cloud("b", 5), cloud("c", 3), cloud("d", 0), other_version, leaving];
        let cases: [(Option<&str>, &[&str], &[&str]); 5] = [
            (None, &[], &["b", "c", "a"]),
            (Some("d"), &[], &["d", "b", "c"]),
            (Some("d"), &["d", "b"], &["c", "a"]),
            (Some("unheard-of"), &[], &["unheard-of", "b", "c"]),
            (Some("a"), &["a", "b", "c", "d"], &[]),
        ];
        for (planned, silent, expected) in cases {
            let expected = expected.iter().map(|name| instance(name)).collect();
            assert_eq!(chosen(planned, &all, silent), Targets::Instances(expected), "{planned:?} {silent:?}");
        }
    }

    #[test]
    fn anybody_only_where_nobody_is_known() {
        assert_eq!(chosen(None, &[], &[]), Targets::Anybody);
        assert_eq!(chosen(None, &[cloud("a", 1)], &["a"]), Targets::Instances(Vec::new()));
        assert_eq!(chosen(Some("a"), &[], &["a"]), Targets::Instances(Vec::new()));
    }
}
