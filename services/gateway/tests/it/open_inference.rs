//! The Open Inference Protocol as an existing client would speak it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::Outcome;
use serde_json::{Value, json};

use crate::site::{PATIENCE, Site, jpeg};

async fn infer(site: &Site, body: &Value) -> reqwest::Response {
    let url = format!("{}/v2/models/tiny/infer", site.url);
    site.client.post(url).json(body).timeout(PATIENCE).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metadata() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let server: Value = site.get("/v2").await.json().await?;
    assert_eq!(
        (&server["name"], &server["extensions"]),
        (&"splinter".into(), &json!(["binary_tensor_data"]))
    );
    for (path, status) in [
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/tiny/ready", 200),
        ("/v2/models/lenet/ready", 404),
        ("/v2/models/lenet", 404),
    ] {
        assert_eq!(site.get(path).await.status().as_u16(), status, "{path}");
    }
    let model: Value = site.get("/v2/models/tiny").await.json().await?;
    assert_eq!(model["name"], "tiny");
    assert_eq!(
        model["inputs"],
        json!([{ "name": "pixel_values", "datatype": "FP32", "shape": [1, 3, 2, 2] }])
    );
    assert_eq!(model["outputs"], json!([{ "name": "logits", "datatype": "FP32", "shape": [1, 2] }]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn json_in_json_out() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let inputs = [
        json!({ "name": "pixel_values", "datatype": "FP32", "shape": [1, 3, 2, 2], "data": vec![0.5; 12] }),
        json!({ "name": "image", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": vec![9; 12] }),
        json!({ "name": "image", "datatype": "BYTES", "shape": [1], "data": [BASE64.encode(jpeg())] }),
    ];
    for input in inputs {
        let body = json!({ "id": "abc", "inputs": [input], "parameters": { "latency_ms": 15000 } });
        let response = infer(&site, &body).await;
        assert_eq!(response.status().as_u16(), 200);
        let reply: Value = response.json().await?;
        assert_eq!((&reply["model_name"], &reply["id"]), (&"tiny".into(), &"abc".into()));
        assert_eq!(
            reply["outputs"],
            json!([{ "name": "logits", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 2.5] }])
        );
        assert_eq!(
            (&reply["parameters"]["label"], &reply["parameters"]["energy_j"]),
            (&"cat".into(), &json!(1.75))
        );
        assert_eq!(site.receipts.next().await.outcome, Outcome::Within);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_in_binary_out() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let picture = jpeg();
    let element: Vec<u8> = [&u32::try_from(picture.len())?.to_le_bytes()[..], &picture].concat();
    let head = json!({
        "inputs": [{ "name": "image", "datatype": "BYTES", "shape": [1],
                     "parameters": { "binary_data_size": element.len() } }],
        "outputs": [{ "name": "logits", "parameters": { "binary_data": true } }],
    })
    .to_string();
    let posted = site
        .client
        .post(format!("{}/v2/models/tiny/infer", site.url))
        .header("Inference-Header-Content-Length", head.len())
        .body([head.as_bytes(), &element].concat());
    let response = posted.timeout(PATIENCE).send().await?;
    assert_eq!(response.status().as_u16(), 200);
    let length: usize = response.headers()["inference-header-content-length"].to_str()?.parse()?;
    let body = response.bytes().await?;
    let json: Value = serde_json::from_slice(&body[..length])?;
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 8);
    let values: Vec<u8> = [0.5_f32, 2.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(&body[length..], values);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_errors_with_a_receipt() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let tensor = |shape: Value, count: usize| json!({ "inputs": [{ "name": "pixel_values", "datatype": "FP32", "shape": shape, "data": vec![0; count] }] });
    let cases = [
        (json!({ "inputs": [] }), "exactly one input"),
        (tensor(json!([1, 3, 2, 3]), 18), "tiny takes F32 [1, 3, 2, 2]"),
        (tensor(json!([1, 3, 2, 2]), 11), "11 numbers where the shape says 12"),
        // Long enough to be read on a blocking thread.
        (tensor(json!([1, 3, 2, 2]), 20_000), "more numbers than the 12"),
        (
            json!({ "inputs": [{ "name": "image", "datatype": "BYTES", "shape": [1], "data": [BASE64.encode("cat")] }] }),
            "not a picture",
        ),
    ];
    for (body, says) in cases {
        let response = infer(&site, &body).await;
        assert_eq!(response.status().as_u16(), 400, "{says}");
        let json: Value = response.json().await?;
        assert!(json["error"].as_str().unwrap().contains(says), "{json}");
        assert!(matches!(site.receipts.next().await.outcome, Outcome::Failed(_)));
    }
    let unknown =
        site.client.post(format!("{}/v2/models/lenet/infer", site.url)).json(&json!({ "inputs": [] }));
    assert_eq!(unknown.send().await?.status().as_u16(), 404);
    assert_eq!(site.receipts.next().await.model.as_str(), "lenet");
    Ok(())
}
