//! Prints a graph.
fn main() {
    for path in std::env::args().skip(1) {
        let graph = onnx_ir::OnnxGraphBuilder::new().parse_file(&path).unwrap();
        println!("== {path}");
        for a in &graph.inputs {
            println!("in {} {:?}", a.name, a.ty);
        }
        for node in &graph.nodes {
            let t = format!("{node:?}");
            println!("{}", &t[..t.len().min(2200)]);
        }
        for a in &graph.outputs {
            println!("out {} {:?}", a.name, a.ty);
        }
    }
}
