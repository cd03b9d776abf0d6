//! Servers that send something else than they say, or than is wanted.

use download::DownloadError;

use crate::server::{self, Server, answer};
use crate::{Folder, contents, digest};

fn chunked(body: &[u8]) -> server::Answer {
    let mut framed = format!("{:x}\r\n", body.len()).into_bytes();
    framed.extend_from_slice(body);
    framed.extend_from_slice(b"\r\n0\r\n\r\n");
    answer("200 OK\r\nTransfer-Encoding: chunked", &framed)
}

#[tokio::test]
async fn wrong_bytes_are_refused_with_both_digests_and_removed() {
    let wrong = vec![7; contents().len()];
    let (expected, got) = (digest(&contents()), digest(&wrong));
    let server = Server::start(move |_, _| server::whole(&wrong)).await;
    let folder = Folder::new();
    let error = folder.download(&server).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DownloadError::WrongDigest { pieced: false, .. }), "{text}");
    assert!(text.contains(expected.as_str()) && text.contains(got.as_str()), "{text}");
    folder.is_empty();
    assert_eq!(server.requests().len(), 1, "the same address has the same bytes");
}

#[tokio::test]
async fn an_announced_length_that_is_not_the_files_is_refused_before_anything_is_read() {
    let size = contents().len() as u64;
    for announced in [0, 1_000, size - 1, size + 1, u64::MAX / 2] {
        let server = Server::start(move |_, _| {
            answer(&format!("200 OK\r\nContent-Length: {announced}"), &contents()).hanging()
        })
        .await;
        let folder = Folder::new();
        let error = folder.download(&server).await.unwrap_err();
        assert!(
            matches!(error, DownloadError::WrongLength { announced: found, expected, .. } if (found, expected) == (announced, size)),
            "{error}"
        );
        folder.is_empty();
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn fewer_bytes_than_announced_again_and_again_are_given_up() {
    // Each request brings the same first bytes, as from a server without ranges.
    let server = Server::start(|_, _| server::whole(&contents()).cut(1_000)).await;
    let folder = Folder::new();
    let error = folder.download(&server).await.unwrap_err();
    assert!(matches!(error, DownloadError::Request { .. }), "{error}");
    assert_eq!(folder.files(), ["model.onnx.part"]);
    assert_eq!(std::fs::metadata(folder.part()).unwrap().len(), 1_000);
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn an_unannounced_length_may_be_right_and_one_byte_more_is_cut_off() {
    let server = Server::start(|_, _| chunked(&contents())).await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();

    for extra in [1, 5_000_000] {
        let server = Server::start(move |_, _| chunked(&[contents(), vec![0; extra]].concat())).await;
        let folder = Folder::new();
        let error = folder.download(&server).await.unwrap_err();
        assert!(matches!(error, DownloadError::TooLarge { expected: 300_007, .. }), "{error}");
        folder.is_empty();
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_in_good_order_is_gone_on_with() {
    let server = Server::start(|index, request| match index {
        0 => chunked(&contents()[..1_000]),
        _ => server::file(request, &contents()),
    })
    .await;
    let folder = Folder::new();
    folder.download(&server).await.unwrap();
    folder.is_complete();
    assert_eq!(server.requests()[1].from(), 1_000);
}

#[tokio::test]
async fn another_range_than_asked_for_is_thrown_away() {
    for lie in ["bytes 0-300006/300007", "bytes 1000-300006/999999", "bytes 999-300006/300007", ""] {
        let server = Server::start(move |index, request| match index {
            0 => server::whole(&contents()).cut(1_000),
            1 => answer(&format!("206 Partial Content\r\nContent-Range: {lie}"), &contents()[1_000..]),
            _ => server::file(request, &contents()),
        })
        .await;
        let folder = Folder::new();
        folder.download(&server).await.unwrap_or_else(|error| panic!("{lie}: {error}"));
        folder.is_complete();
        assert_eq!(server.requests()[2].from(), 0, "{lie}");
    }
}
