//! One request and its answer.

use reqwest::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};

use crate::error::DownloadError;
use crate::partial::Partial;
use crate::{Event, Source};

/// Asks for what is missing and appends it. When it returns `Ok`, all bytes are there, right or wrong.
pub(crate) async fn transfer(
    client: &Client,
    source: &Source,
    partial: &mut Partial,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), DownloadError> {
    if partial.length() == source.bytes {
        tell(Event::Received(partial.length()));
        return Ok(());
    }
    let mut answer = ask(client, source, partial).await?;
    prepare(&answer, source, partial).await?;
    tell(Event::Received(partial.length()));
    let ended = receive(&mut answer, source, partial, tell).await;
    partial.flush().await?;
    ended
}

async fn ask(client: &Client, source: &Source, partial: &Partial) -> Result<Response, DownloadError> {
    let mut request = client.get(&source.address);
    if partial.length() > 0 {
        request = request.header(RANGE, format!("bytes={}-", partial.length()));
        if let Some(tag) = partial.tag() {
            // Another version comes whole.
            request = request.header(IF_RANGE, tag);
        }
    }
    request.send().await.map_err(|error| fault(source, error))
}

/// Checks the answer's head, and begins anew where it is not the rest of what is there.
async fn prepare(answer: &Response, source: &Source, partial: &mut Partial) -> Result<(), DownloadError> {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let there = match answer.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if partial.length() > 0 => partial.length(),
        StatusCode::RANGE_NOT_SATISFIABLE if partial.length() > 0 => {
            return Err(wrong_range(source, partial, header(CONTENT_RANGE)));
        }
        status => return Err(DownloadError::Refused { address: source.address.clone(), status }),
    };
    if let Some(announced) = answer.content_length().filter(|length| *length != source.bytes - there) {
        let (address, announced) = (source.address.clone(), announced.saturating_add(there));
        return Err(DownloadError::WrongLength { address, announced, expected: source.bytes });
    }
    if there == 0 {
        return partial.begin(header(ETAG)).await;
    }
    if !is_the_rest(header(CONTENT_RANGE).unwrap_or_default(), there, source.bytes) {
        return Err(wrong_range(source, partial, header(CONTENT_RANGE)));
    }
    partial.resume();
    Ok(())
}

async fn receive(
    answer: &mut Response,
    source: &Source,
    partial: &mut Partial,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), DownloadError> {
    while let Some(piece) = answer.chunk().await.map_err(|error| fault(source, error))? {
        if partial.length() + piece.len() as u64 > source.bytes {
            return Err(DownloadError::TooLarge { address: source.address.clone(), expected: source.bytes });
        }
        partial.append(&piece).await?;
        tell(Event::Received(partial.length()));
    }
    if partial.length() == source.bytes {
        return Ok(());
    }
    Err(DownloadError::EndedEarly {
        address: source.address.clone(),
        received: partial.length(),
        expected: source.bytes,
    })
}

/// Whether a `Content-Range` says `bytes FROM-(whole − 1)/whole`; the whole may be unknown (`*`).
fn is_the_rest(range: &str, from: u64, whole: u64) -> bool {
    let Some((range, size)) = range.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let Some((first, last)) = range.split_once('-') else { return false };
    let is = |text: &str, number: u64| text.parse() == Ok(number);
    is(first, from) && is(last, whole - 1) && (size == "*" || is(size, whole))
}

fn wrong_range(source: &Source, partial: &Partial, sent: Option<&str>) -> DownloadError {
    let (address, asked) = (source.address.clone(), partial.length());
    DownloadError::WrongRange { address, asked, sent: sent.unwrap_or_default().to_owned() }
}

fn fault(source: &Source, error: reqwest::Error) -> DownloadError {
    DownloadError::Request { address: source.address.clone(), source: error.without_url() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rest_of_this_file_is_taken() {
        for good in ["bytes 3-9/10", "bytes 3-9/*"] {
            assert!(is_the_rest(good, 3, 10), "{good}");
        }
        for bad in
            ["", "bytes", "bytes 3-9", "bytes */10", "bytes 2-9/10", "bytes 3-8/10", "bytes 3-9/11", "3-9/10"]
        {
            assert!(!is_the_rest(bad, 3, 10), "{bad}");
        }
    }
}
