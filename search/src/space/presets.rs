//! Spaces that come with the project: the four of the DynaSplit paper, on its Raspberry Pi 4 with a Coral accelerator and a
//! cloud machine with a graphics processor.

/// Name and text of every preset.
pub const PRESETS: [(&str, &str); 4] = [
    ("dynasplit-vgg16", include_str!("presets/dynasplit-vgg16.toml")),
    ("dynasplit-resnet50", include_str!("presets/dynasplit-resnet50.toml")),
    ("dynasplit-mobilenetv2", include_str!("presets/dynasplit-mobilenetv2.toml")),
    ("dynasplit-vit", include_str!("presets/dynasplit-vit.toml")),
];
