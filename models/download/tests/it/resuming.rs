//! What has arrived is kept and gone on with.

use download::{DownloadError, Limits};

use crate::server::{self, Server};
use crate::{Folder, contents, limits};

const ONCE: Limits = Limits {
    connect: std::time::Duration::from_secs(10),
    stall: std::time::Duration::from_secs(30),
    whole: std::time::Duration::from_secs(60),
    attempts: 1,
    pause: std::time::Duration::ZERO,
    redirects: 0,
};

#[tokio::test]
async fn a_broken_transfer_goes_on_where_it_broke() {
    let server = Server::start(|index, request| {
        let answer = server::file(request, &contents());
        if index < 3 { answer.cut(70_000) } else { answer }
    })
    .await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();
    let asked: Vec<usize> = server.requests().iter().map(|request| request.from()).collect();
    assert_eq!(asked, [0, 70_000, 140_000, 210_000]);
}

#[tokio::test]
async fn a_later_call_goes_on_where_the_earlier_ended() {
    let server = Server::start(|index, request| {
        let answer = server::file(request, &contents());
        if index == 0 { answer.cut(200_000) } else { answer }
    })
    .await;
    let folder = Folder::new();
    let error = folder.download_within(&server, &ONCE).await.unwrap_err();
    assert!(matches!(error, DownloadError::Request { .. }), "{error}");
    assert_eq!(folder.files(), ["model.onnx.part"]);
    folder.download_within(&server, &ONCE).await.unwrap();
    folder.is_complete();
    assert_eq!(server.requests()[1].from(), 200_000);
}

#[tokio::test]
async fn the_version_is_named_by_its_tag_where_it_has_a_strong_one() {
    for (tag, kept) in [("\"v1\"", Some("\"v1\"")), ("W/\"v1\"", None)] {
        let server = Server::start(move |index, request| {
            let mut answer = server::file(request, &contents());
            answer.head = answer.head.replace("Connection", &format!("ETag: {tag}\r\nConnection"));
            if index == 0 { answer.cut(100) } else { answer }
        })
        .await;
        let folder = Folder::new();
        folder.download_within(&server, &ONCE).await.unwrap_err();
        folder.download_within(&server, &ONCE).await.unwrap();
        folder.is_complete();
        assert_eq!(server.requests()[1].header("if-range"), kept, "{tag}");
    }
}

#[tokio::test]
async fn another_version_meanwhile_comes_whole() {
    // By If-Range the server sees that its file is another one now, and sends it whole.
    let server = Server::start(|index, request| {
        if index == 0 {
            let mut old = server::whole(&[7; 300_007]).cut(1_000);
            old.head = old.head.replace("Connection", "ETag: \"old\"\r\nConnection");
            return old;
        }
        assert_eq!(request.header("if-range"), Some("\"old\""));
        server::whole(&contents())
    })
    .await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn pieces_of_two_versions_are_thrown_away_and_fetched_once_more() {
    let server = Server::start(|index, request| match index {
        0 => server::whole(&[7; 300_007]).cut(1_000),
        _ => server::file(request, &contents()),
    })
    .await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();
    let asked: Vec<usize> = server.requests().iter().map(|request| request.from()).collect();
    assert_eq!(asked, [0, 1_000, 0]);
}

#[tokio::test]
async fn a_server_without_ranges_begins_anew() {
    let server = Server::start(|index, _| {
        let answer = server::whole(&contents());
        if index < 2 { answer.cut(100_000) } else { answer }
    })
    .await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn strange_leftovers_do_no_harm() {
    let longer = [contents(), vec![0]].concat();
    let cases: [(&str, Vec<u8>, &[u8]); 4] = [
        ("longer than the file", longer, b""),
        ("as long and wrong", vec![0; contents().len()], b""),
        ("a tag that is no header", contents()[..5].to_vec(), b"\"a\r\nX-Evil: 1\""),
        ("all but the last step", contents(), b"\"v1\""),
    ];
    for (what, part, tag) in cases {
        let server = Server::start(|_, request| {
            assert_eq!(request.header("x-evil"), None);
            server::file(request, &contents())
        })
        .await;
        let folder = Folder::new();
        std::fs::write(folder.part(), part).unwrap();
        std::fs::write(folder.0.path().join("model.onnx.part.etag"), tag).unwrap();
        folder.download(&server).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        folder.is_complete();
    }
}

#[tokio::test]
async fn two_processes_do_not_write_the_same_file() {
    let server = Server::start(|_, request| server::file(request, &contents())).await;
    let folder = Folder::new();
    let other = std::fs::File::create(folder.part()).unwrap();
    other.lock().unwrap();
    let error = folder.download(&server).await.unwrap_err();
    assert!(matches!(error, DownloadError::Busy { .. }), "{error}");
    drop(other);
    folder.download_within(&server, &limits()).await.unwrap();
    folder.is_complete();
}
