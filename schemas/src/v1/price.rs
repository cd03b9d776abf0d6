//! What a joule counts at each place: weights, prices or carbon. A decision that minimises their sum instead of plain
//! joules prefers the joules that count less. Pure code; [`EnergyPrices::at`] once a battery report, [`PlacePrices`] on
//! the decision path (no allocation).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Cost, Joules, Share, Weight};
use crate::v1::energy::{EnergyEntry, Place};
use crate::v1::hardware::BatteryReport;

/// Joules in a kilowatt-hour.
const JOULES_A_KILOWATT_HOUR: f64 = 3.6e6;

/// What costs are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CostUnit {
    /// Joules, each times its place's weight.
    #[default]
    WeightedJoules,
    /// Grams of carbon dioxide equivalent.
    GramsCo2,
    /// Hundredths of a unit of money.
    Cents,
}

impl fmt::Display for CostUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WeightedJoules => "J weighted",
            Self::GramsCo2 => "g CO2e",
            Self::Cents => "ct",
        })
    }
}

/// What the prices are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricedPer {
    /// One joule.
    #[default]
    Joule,
    /// One kilowatt-hour (3.6 MJ), as electricity and its carbon are sold.
    KilowattHour,
}

/// From this level of the battery downwards, edge joules count so many times as much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatteryWeight {
    /// The battery's level, 0 (empty) to 1 (full).
    pub level: Share,
    /// What an edge joule is multiplied with at that level.
    pub times: Weight,
}

/// What a joule costs at each place; part of a service's settings. All ones by default: then a cost is the plain sum of
/// joules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnergyPrices {
    /// What costs are counted in.
    pub unit: CostUnit,
    /// What the prices below are for.
    pub per: PricedPer,
    /// On the edge device.
    pub edge: Weight,
    /// On the link.
    pub wire: Weight,
    /// In the cloud.
    pub cloud: Weight,
    /// How much more edge joules count as the battery empties: points of a line, by ascending level; straight between
    /// them, level beyond them. Without a battery, or while it charges, edge joules count once.
    pub battery: Vec<BatteryWeight>,
}

impl Default for EnergyPrices {
    fn default() -> Self {
        Self {
            unit: CostUnit::default(),
            per: PricedPer::default(),
            edge: Weight::ONE,
            wire: Weight::ONE,
            cloud: Weight::ONE,
            battery: Vec::new(),
        }
    }
}

/// Prices that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// Nothing costs anything: every decision would be as good as any other.
    #[error("the prices of edge, wire and cloud are all zero: give at least one place a price")]
    AllZero,
    /// The points of the battery's line are not in order.
    #[error("the battery's levels must ascend, each given once: sort the points by level")]
    LevelsDoNotAscend,
}

impl EnergyPrices {
    /// Refuses prices that are all zero, and battery levels that do not ascend.
    pub fn check(&self) -> Result<(), PriceError> {
        if [self.edge, self.wire, self.cloud].iter().all(|price| *price == Weight::ZERO) {
            return Err(PriceError::AllZero);
        }
        let ascend =
            self.battery.windows(2).all(|pair| matches!(pair, [one, next] if one.level < next.level));
        if ascend { Ok(()) } else { Err(PriceError::LevelsDoNotAscend) }
    }

    /// What a joule costs at each place with the edge's battery as it is; `None` for a device without one.
    pub fn at(&self, battery: Option<&BatteryReport>) -> PlacePrices {
        let discharging = battery.filter(|battery| !battery.charging);
        let times = discharging.map_or(Weight::ONE, |battery| self.times_at(battery.level));
        let per = match self.per {
            PricedPer::Joule => 1.0,
            PricedPer::KilowattHour => 1.0 / JOULES_A_KILOWATT_HOUR,
        };
        PlacePrices {
            unit: self.unit,
            edge: self.edge * (per * times.get()),
            wire: self.wire * per,
            cloud: self.cloud * per,
        }
    }

    fn times_at(&self, level: Share) -> Weight {
        let above = self.battery.iter().position(|point| point.level >= level);
        match above {
            None => self.battery.last().map_or(Weight::ONE, |highest| highest.times),
            Some(0) => self.battery[0].times,
            Some(next) => {
                let (low, high) = (self.battery[next - 1], self.battery[next]);
                let part = (level.get() - low.level.get()) / (high.level.get() - low.level.get());
                Weight::saturating(low.times.get() + (high.times.get() - low.times.get()) * part)
            }
        }
    }
}

/// What a joule costs at each place now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlacePrices {
    /// What costs are counted in.
    pub unit: CostUnit,
    /// Per joule on the edge device, its battery counted in.
    pub edge: Weight,
    /// Per joule on the link.
    pub wire: Weight,
    /// Per joule in the cloud.
    pub cloud: Weight,
}

impl Default for PlacePrices {
    /// Every joule counts once: a cost is the plain sum of joules.
    fn default() -> Self {
        Self { unit: CostUnit::default(), edge: Weight::ONE, wire: Weight::ONE, cloud: Weight::ONE }
    }
}

impl PlacePrices {
    /// What a joule costs there.
    pub const fn per_joule(&self, place: Place) -> Weight {
        match place {
            Place::Edge => self.edge,
            Place::Wire => self.wire,
            Place::Cloud => self.cloud,
        }
    }

    /// What so many joules cost there.
    pub fn cost(&self, place: Place, joules: Joules) -> Cost {
        Cost::saturating(self.per_joule(place).get() * joules.get())
    }

    /// What the entries cost together, or `None` when there are none: an unknown energy is not free.
    pub fn total(&self, entries: &[EnergyEntry]) -> Option<Cost> {
        let costs = entries.iter().map(|entry| self.cost(entry.place, entry.joules));
        (!entries.is_empty()).then(|| costs.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::energy::EnergySource;

    fn weight(value: f64) -> Weight {
        Weight::new(value).unwrap()
    }

    fn battery(level: f64, charging: bool) -> BatteryReport {
        BatteryReport { level: Share::new(level).unwrap(), charging }
    }

    fn entries() -> Vec<EnergyEntry> {
        let entry = |place, joules| EnergyEntry {
            place,
            source: EnergySource::Measured,
            joules: Joules::new(joules).unwrap(),
        };
        vec![entry(Place::Edge, 2.0), entry(Place::Wire, 0.5), entry(Place::Cloud, 10.0)]
    }

    #[test]
    fn by_default_a_cost_is_the_sum_of_joules() {
        let prices = EnergyPrices::default().at(Some(&battery(0.1, false)));
        assert_eq!(prices, PlacePrices::default());
        assert_eq!(prices.total(&entries()).unwrap().get(), 12.5);
        assert_eq!(prices.total(&[]), None);
    }

    #[test]
    fn carbon_is_priced_by_the_kilowatt_hour() {
        let prices = EnergyPrices {
            unit: CostUnit::GramsCo2,
            per: PricedPer::KilowattHour,
            edge: weight(360.0),
            wire: weight(360.0),
            cloud: weight(36.0),
            battery: Vec::new(),
        };
        // 2.5 J × 360 g/kWh + 10 J × 36 g/kWh, in grams.
        let total = prices.at(None).total(&entries()).unwrap().get();
        assert!((total - 1260.0 / 3.6e6).abs() < 1e-15, "{total}");
    }

    #[test]
    fn an_emptying_battery_makes_edge_joules_count_more() {
        let point = |level, times| BatteryWeight { level: Share::new(level).unwrap(), times: weight(times) };
        let prices =
            EnergyPrices { battery: vec![point(0.2, 5.0), point(0.8, 2.0)], ..EnergyPrices::default() };
        prices.check().unwrap();
        for (level, expected) in [(0.0, 5.0), (0.2, 5.0), (0.5, 3.5), (0.8, 2.0), (1.0, 2.0)] {
            let at = prices.at(Some(&battery(level, false)));
            assert!((at.edge.get() - expected).abs() < 1e-12, "{level}: {at:?}");
            assert_eq!((at.wire, at.cloud), (Weight::ONE, Weight::ONE));
        }
        assert_eq!(prices.at(Some(&battery(0.1, true))).edge, Weight::ONE, "it charges");
        assert_eq!(prices.at(None).edge, Weight::ONE, "no battery");
    }

    #[test]
    fn prices_that_decide_nothing_or_contradict_themselves_are_refused() {
        let zero = EnergyPrices {
            edge: Weight::ZERO,
            wire: Weight::ZERO,
            cloud: Weight::ZERO,
            ..EnergyPrices::default()
        };
        assert_eq!(zero.check(), Err(PriceError::AllZero));
        let point = BatteryWeight { level: Share::saturating(0.5), times: Weight::ONE };
        let twice = EnergyPrices { battery: vec![point, point], ..EnergyPrices::default() };
        assert_eq!(twice.check(), Err(PriceError::LevelsDoNotAscend));
    }
}
