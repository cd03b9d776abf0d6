use std::path::PathBuf;

use super::*;

/// The paper's data, where this checkout has it.
fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("SPLINTER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("reference");
    folder.join("simulation_pool_vgg16.csv").is_file().then_some(folder)
}

/// As a user who has only the tables of measurements: published values come from the program.
fn reproduced() -> Option<Reproduction> {
    let data = Data::read(&folder()?, "vgg16", None).unwrap();
    let published = Published::for_network(Path::new("/nowhere"), "vgg16").unwrap();
    Some(reproduce(&data, &published, Wishes { seeds: 2, search: false }).unwrap())
}

#[test]
fn every_published_value_of_vgg16_comes_out() {
    let Some(reproduction) = reproduced() else { return };
    for table in &reproduction.tables {
        for row in &table.rows {
            for cell in &row.cells {
                assert_ne!(cell.verdict, Verdict::Fail, "{} {} {cell:?}", table.key, row.strategy);
            }
        }
    }
    for claim in &reproduction.claims {
        assert_eq!(claim.verdict, Verdict::Pass, "{claim:?}");
    }
    assert_eq!((reproduction.failed, reproduction.left_out.as_slice()), (0, &[][..]));
    // 41 rows of 12 columns, 13 claims, 2 strategies' decisions.
    assert_eq!(reproduction.compared, 41 * 12 + 13 + 2);
    let [search, grid] = reproduction.decisions.as_slice() else { panic!("{:?}", reproduction.decisions) };
    assert_eq!((search.same, search.recorded, grid.same, grid.recorded), (50, 50, 50, 50));
}

/// What was published is missed where the data for it is not there, and the rest comes out.
#[test]
fn a_missing_testbed_is_told_by_what_it_leaves_out() {
    let Some(folder) = folder() else { return };
    let whole = Data::read(&folder, "vgg16", None).unwrap();
    let data = Data { testbed: None, ..whole };
    let published = Published::for_network(Path::new("/nowhere"), "vgg16").unwrap();
    let reproduction = reproduce(&data, &published, Wishes { seeds: 1, search: false }).unwrap();
    let told = |left_out: &LeftOut| (left_out.key, left_out.missing.clone(), left_out.published);
    let left_out: Vec<_> = reproduction.left_out.iter().map(told).collect();
    let missing = "no testbed_vgg16.csv".to_owned();
    assert_eq!(left_out, [("testbed_50", missing.clone(), true), ("decisions", missing, false)]);
    assert!(reproduction.tables.iter().all(|table| table.key != "testbed_50"));
    assert_eq!((reproduction.failed, reproduction.compared), (0, 35 * 12 + 8));
}

#[test]
fn the_reference_s_full_precision_comes_out() {
    let Some(folder) = folder() else { return };
    let data = Data::read(&folder, "vgg16", None).unwrap();
    let published = Published::for_network(&folder, "vgg16").unwrap();
    let reproduction = reproduce(&data, &published, Wishes { seeds: 1, search: false }).unwrap();
    assert_eq!(reproduction.failed, 0);
    assert!(reproduction.compared > 41 * 12);
}
