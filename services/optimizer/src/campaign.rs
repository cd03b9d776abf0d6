//! One network measured: every configuration in turn over the live pipeline, then the front.

use std::borrow::Cow;
use std::time::Duration;

use broker::{Bus, Call, subjects};
use schemas::{
    Configuration, Cut, ExecuteReply, ExecuteRequest, Fault, FaultKind, Front, FrontId, Input, Measurement,
    Millis, ModelDescription, OptimizeProgress, OptimizeReply, OptimizeRequest, RequestId, UnixMillis,
};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::guard::{self, Observation, Offers};
use crate::pareto;
use crate::record::{Record, Sample, deviation};
use crate::settings::Settings;
use crate::site::Site;
use crate::space;

/// How long a full executor is waited for before it is asked again, when it does not say.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest that an executor's own wish to be asked later is followed.
const GREATEST_PAUSE: Duration = Duration::from_secs(1);

/// After so many failed configurations in a row something all of them need is gone; the rest is not tried, as
/// each failure may take seconds.
const FAILURES_IN_A_ROW: u32 = 5;

/// The measuring of one network.
pub(crate) struct Campaign<'a> {
    pub(crate) bus: &'a Bus,
    pub(crate) settings: &'a Settings,
    pub(crate) request: &'a OptimizeRequest<'a>,
    pub(crate) description: &'a ModelDescription,
    pub(crate) site: &'a Site,
    /// When the whole must be done.
    pub(crate) deadline: UnixMillis,
}

/// Why a sample could not be taken.
enum Trouble {
    /// This configuration does not run here; others may.
    Configuration(String),
    /// No configuration can be measured any more.
    Final(Fault),
}

impl Campaign<'_> {
    /// Measures every configuration and puts the front together. Warns of configurations that did not run;
    /// fails when one of the two baselines did not.
    pub(crate) async fn run(&self) -> Result<OptimizeReply, Fault> {
        let started_at = UnixMillis::now();
        let mut records = self.records();
        self.measure(&mut records).await?;
        let measurements: Vec<Measurement> = records.iter().filter_map(Record::measurement).collect();
        let offers = self.offers(&records);
        let front = self.front(&measurements, offers, started_at)?;
        info!(model = %front.model, points = front.points.len(), measured = front.measured, "measured");
        Ok(OptimizeReply { front, measurements, resumed_samples: 0, notes: Vec::new() })
    }

    /// The configurations in the order of measuring.
    fn records(&self) -> Vec<Record> {
        let cuts: Vec<Cut> = self.description.cuts.iter().map(|cut| cut.cut).collect();
        let Settings { codecs, budget, .. } = self.settings;
        let configurations = space::configurations(&cuts, codecs, &self.site.frequencies, *budget as usize);
        let name_of = |wanted: Cut| {
            let described = self.description.cuts.iter().find(|cut| cut.cut == wanted);
            described.map(|cut| cut.name.clone()).unwrap_or_default()
        };
        space::interleaved(configurations.len())
            .into_iter()
            .filter_map(|place| configurations.get(place))
            .map(|&configuration| Record::new(configuration, name_of(configuration.cut)))
            .collect()
    }

    /// Two passes, the second in reverse, each with half of the samples: a steady drift of the machine
    /// then adds the same to every configuration.
    async fn measure(&self, records: &mut Vec<Record>) -> Result<(), Fault> {
        let first_pass = self.request.samples.div_ceil(2);
        let total = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let mut failed: Vec<Configuration> = Vec::new();
        let (mut visits, mut in_a_row) = (0, 0);
        for (pass, samples) in [0..first_pass, first_pass..self.request.samples].into_iter().enumerate() {
            if pass == 1 {
                records.reverse();
            }
            for record in records.iter_mut() {
                visits += 1;
                if failed.contains(record.configuration()) {
                    continue;
                }
                match self.visit(record, samples.clone(), pass == 0).await {
                    Ok(()) => {
                        in_a_row = 0;
                        self.report(record, visits / 2, total).await;
                    }
                    Err(Trouble::Final(fault)) => return Err(fault),
                    Err(Trouble::Configuration(reason)) => {
                        in_a_row += 1;
                        failed.push(self.left_out(record, &reason, in_a_row)?);
                    }
                }
            }
        }
        records.retain(|record| !failed.contains(record.configuration()));
        records.reverse();
        Ok(())
    }

    /// Warns of a configuration that did not run; fails when so many did not that the rest is not worth trying.
    fn left_out(&self, record: &Record, reason: &str, in_a_row: u32) -> Result<Configuration, Fault> {
        let configuration = *record.configuration();
        warn!(model = %self.request.model, %configuration, reason, "a configuration could not be measured and is left out");
        if in_a_row < FAILURES_IN_A_ROW {
            return Ok(configuration);
        }
        let message = format!("{in_a_row} configurations in a row could not be measured; the last: {reason}");
        Err(Fault::new(FaultKind::Unavailable, message))
    }

    /// Takes samples of one configuration. The first time, one run more warms it up and is not counted.
    async fn visit(
        &self,
        record: &mut Record,
        samples: std::ops::Range<u32>,
        warm_up: bool,
    ) -> Result<(), Trouble> {
        if warm_up {
            self.sample(record.configuration(), 0).await?;
        }
        for number in samples {
            let picture = number as usize % self.request.pictures.len();
            let sample = self.sample(record.configuration(), picture).await?;
            record.push(sample);
        }
        Ok(())
    }

    /// Runs one picture, again when something else ran than was asked for.
    async fn sample(&self, configuration: &Configuration, picture: usize) -> Result<Sample, Trouble> {
        let mut last = String::new();
        for attempt in 0..=self.settings.retries {
            match self.execute(configuration, picture).await {
                Ok(sample) => return Ok(sample),
                Err(Trouble::Final(fault)) => return Err(Trouble::Final(fault)),
                Err(Trouble::Configuration(reason)) => {
                    debug!(attempt, reason, "a sample was rejected");
                    last = reason;
                }
            }
        }
        Err(Trouble::Configuration(last))
    }

    async fn execute(&self, configuration: &Configuration, picture: usize) -> Result<Sample, Trouble> {
        let labelled = self.request.pictures.get(picture).ok_or_else(|| internal("a picture was lost"))?;
        let id = RequestId::fresh();
        let request = ExecuteRequest {
            id,
            model: self.request.model.clone(),
            input: Input::Encoded { bytes: Cow::Borrowed(&labelled.bytes) },
            configuration: *configuration,
            cloud: Some(self.site.cloud.clone()),
            profile: false,
        };
        let body = schemas::encode(&request).map_err(|error| internal(&error.to_string()))?;
        let within = self.settings.call_timeout_ms.to_duration().min(self.deadline.remaining());
        // That instance or none: the front is of its machine.
        let target = subjects::execute_edge_at(&self.request.model, &self.site.edge);
        let call = Call { id, ..Call::new(vec![target], within, body) };
        let began = Instant::now();
        let answer = self.bus.call(call).await;
        let wall = Millis::from(began.elapsed());
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.trouble(error.to_fault()).await),
        };
        let reply: ExecuteReply<'_> = schemas::decode(&answer.body)
            .map_err(|error| internal(&format!("the edge executor's reply: {error}")))?;
        match deviation(configuration, &reply) {
            None => Ok(Sample::new(wall, &reply, picture, labelled.class)),
            Some(reason) => Err(Trouble::Configuration(reason)),
        }
    }

    /// What a failed execution means; a full executor is given time first.
    async fn trouble(&self, fault: Fault) -> Trouble {
        let late = self.deadline.remaining().is_zero();
        match fault.kind {
            FaultKind::DeadlineExceeded if late => Trouble::Final(Fault::new(
                FaultKind::DeadlineExceeded,
                "the deadline passed before everything was measured: send a later one, or fewer samples",
            )),
            // The same for every configuration: a wrong picture, another model.
            FaultKind::BadRequest | FaultKind::UnknownModel => Trouble::Final(fault),
            FaultKind::Overloaded => {
                let pause = fault.retry_after_ms.map_or(PAUSE, Millis::to_duration);
                sleep(pause.min(GREATEST_PAUSE)).await;
                Trouble::Configuration(fault.to_string())
            }
            _ => Trouble::Configuration(fault.to_string()),
        }
    }

    /// Says how far it is; nobody has to listen, so a failure is not one of the measuring.
    async fn report(&self, record: &Record, done: u32, total: u32) {
        let Some(last) = record.measurement() else { return };
        let progress = OptimizeProgress { model: self.request.model.clone(), done, total, last };
        let published = match schemas::encode(&progress) {
            Ok(body) => self.bus.publish(subjects::event("optimize"), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "progress was not published");
        }
    }

    /// Which codecs cost little enough, judged by the answers that were measured.
    fn offers(&self, records: &[Record]) -> Offers {
        let observe = |record: &Record| {
            let Configuration { cut, codec, .. } = *record.configuration();
            Observation { cut, codec, answers: record.answers() }
        };
        let observations: Vec<Observation> = records.iter().map(observe).collect();
        let offers = guard::judge(&observations, self.settings.greatest_accuracy_loss);
        for withheld in &offers.withheld {
            info!(model = %self.request.model, reason = %withheld, "a codec is not offered");
        }
        offers
    }

    fn front(
        &self,
        measurements: &[Measurement],
        offers: Offers,
        started_at: UnixMillis,
    ) -> Result<Front, Fault> {
        let cuts = || self.description.cuts.iter().map(|cut| cut.cut);
        let (first_cut, last_cut) = match (cuts().min(), cuts().max()) {
            (Some(first), Some(last)) => (first, last),
            _ => return Err(Fault::new(FaultKind::Internal, "the executor describes no cut")),
        };
        let is_offered = |measurement: &&Measurement| {
            let Configuration { cut, codec, .. } = measurement.configuration;
            offers.offered.contains(&(cut, codec))
        };
        let offered: Vec<Measurement> = measurements.iter().filter(is_offered).cloned().collect();
        let points = pareto::non_dominated(&offered, last_cut);
        let points = points.into_iter().filter_map(|point| offered.get(point).cloned()).collect();
        Ok(Front {
            id: FrontId::fresh(),
            revision: 0,
            model: self.request.model.clone(),
            digest: self.description.digest.clone(),
            last_cut,
            edge: self.site.edge_node.clone(),
            emulates: self.site.emulates.clone(),
            cloud: self.site.cloud_node.clone(),
            points,
            all_cloud: self.baseline(measurements, first_cut, "everything in the cloud")?,
            all_edge: self.baseline(measurements, last_cut, "everything on the edge")?,
            tied: Vec::new(),
            suspects: Vec::new(),
            withheld: offers.withheld,
            search: None,
            measured: u32::try_from(measurements.len()).unwrap_or(u32::MAX),
            started_at,
            ended_at: UnixMillis::now(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// One end at the highest clock.
    fn baseline(&self, measurements: &[Measurement], cut: Cut, name: &str) -> Result<Measurement, Fault> {
        let highest = self.site.frequencies.iter().max().copied();
        let is_it = |measurement: &&Measurement| {
            let configuration = &measurement.configuration;
            configuration.cut == cut && configuration.edge_frequency_khz == highest
        };
        measurements.iter().find(is_it).cloned().ok_or_else(|| {
            let message = format!(
                "the baseline \"{name}\" could not be measured: the optimizer's log says what ran instead; \
                 no front is published without it"
            );
            Fault::new(FaultKind::Unavailable, message)
        })
    }
}

fn internal(message: &str) -> Trouble {
    Trouble::Final(Fault::new(FaultKind::Internal, message))
}
