//! `splinter policy`: which policies decide, while everything runs.

use anyhow::ensure;
use broker::Bus;
use schemas::{PolicyChoice, PolicyName};

use crate::arguments::{PolicyCommand, SetPolicyArguments, WhichSystem};
use crate::{connection, output};

/// Runs one of the policy commands, and says what holds then.
pub async fn run(command: PolicyCommand) -> anyhow::Result<()> {
    let system = match command {
        PolicyCommand::Show(system) => system,
        PolicyCommand::Set(arguments) => set(arguments).await?,
        PolicyCommand::Reset(system) => {
            connect(&system).await?.forget_policy_choice().await?;
            system
        }
    };
    let chosen = connect(&system).await?.policy_choice().await?;
    output::print(system.output.json, &chosen, |chosen| in_words(*chosen))
}

async fn set(arguments: SetPolicyArguments) -> anyhow::Result<WhichSystem> {
    let SetPolicyArguments { policy, shadow, system } = arguments;
    for named in [Some(policy), shadow].into_iter().flatten() {
        ensure!(PolicyName::ALL.contains(&named), "only simulations have the policy {named}: choose another");
    }
    ensure!(shadow != Some(policy), "policy {policy} cannot be its own shadow: choose another, or none");
    connect(&system).await?.choose_policy(PolicyChoice { policy, shadow }).await?;
    Ok(system)
}

async fn connect(system: &WhichSystem) -> anyhow::Result<Bus> {
    connection::connect(&system.broker, "splinter-policy").await
}

fn in_words(chosen: Option<PolicyChoice>) -> String {
    match chosen {
        None => "nothing is chosen: each scheduler goes by its own settings ([scheduler] policy, shadow)"
            .to_owned(),
        Some(PolicyChoice { policy, shadow: None }) => format!("policy {policy}, without a shadow"),
        Some(PolicyChoice { policy, shadow: Some(shadow) }) => {
            format!("policy {policy}, in its shadow {shadow}")
        }
    }
}
