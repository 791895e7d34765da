//! Creation of a component from its type and properties.

use dapr_building_blocks::component::CreateError;
use dapr_building_blocks::{Component, ComponentSpec, Context};

pub(crate) async fn try_create(type_: &str, properties: &[(&str, &str)]) -> Result<Component, CreateError> {
    let spec = ComponentSpec {
        name: "component".into(),
        type_: type_.into(),
        properties: properties.iter().copied().collect(),
        ..ComponentSpec::default()
    };
    component_native::registry().create(spec, Context::default()).await
}

pub(crate) async fn create(type_: &str, properties: &[(&str, &str)]) -> Component {
    try_create(type_, properties).await.unwrap()
}
