//! The model: a directory with the network, the names of its classes, and how to feed it.

mod input;
mod parameters;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use image::DynamicImage;
use rten::Value;
use rten_tensor::AsView;

use crate::classes::{self, Class};
use input::Input;
use parameters::Parameters;

/// Says what a picture shows.
pub trait Classifier: Send + Sync {
    /// Succeeds if there is a model to ask.
    ///
    /// # Errors
    /// When there is none, with words about how to get one.
    fn check(&self) -> Result<(), ModelError>;

    /// All classes, the likeliest first.
    ///
    /// # Errors
    /// When there is no model, or it fails.
    fn classify(&self, picture: &DynamicImage) -> Result<Vec<Class>, ModelError>;
}

/// Why there is no answer; the words are for whoever runs the service.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The directory has no model.
    #[error(
        "there is no model in `{}`: put model.onnx (or model.rten) and labels.txt there, one label a line, \
         or name another directory in MODEL_DIR",
        .0.display()
    )]
    Missing(PathBuf),
    /// A file of the model cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// `model.toml` is malformed.
    #[error("model.toml cannot be understood: {0}")]
    Parameters(#[source] toml::de::Error),
    /// The network cannot be loaded.
    #[error("the model cannot be loaded: {0}")]
    Load(#[source] rten::LoadError),
    /// The network wants something else than one picture.
    #[error("the model's input cannot be fed: {0}")]
    Input(String),
    /// The network failed.
    #[error("the model failed: {0}")]
    Run(String),
    /// The network's output is not a list of scores.
    #[error("the model's output cannot be understood: {0}")]
    Output(String),
}

/// A model in a directory. It is loaded when first needed and then stays; while it is missing, it is looked for again.
pub struct ModelDirectory {
    path: PathBuf,
    loaded: Mutex<Option<Arc<Model>>>,
}

struct Model {
    network: rten::Model,
    input: Input,
    labels: Vec<String>,
}

impl ModelDirectory {
    /// A model in that directory, which need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, loaded: Mutex::default() }
    }

    fn model(&self) -> Result<Arc<Model>, ModelError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = loaded.as_ref() {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Model::load(&self.path)?);
        *loaded = Some(Arc::clone(&model));
        Ok(model)
    }
}

impl Classifier for ModelDirectory {
    fn check(&self) -> Result<(), ModelError> {
        self.model().map(drop)
    }

    fn classify(&self, picture: &DynamicImage) -> Result<Vec<Class>, ModelError> {
        self.model()?.classify(picture)
    }
}

impl Model {
    fn load(directory: &Path) -> Result<Self, ModelError> {
        let names = ["model.onnx", "model.rten"];
        let network = names.iter().map(|name| directory.join(name)).find(|path| path.is_file());
        let network = network.ok_or_else(|| ModelError::Missing(directory.to_owned()))?;
        let labels = read(&directory.join("labels.txt"))?.unwrap_or_default();
        let parameters = read(&directory.join("model.toml"))?.unwrap_or_default();
        let parameters: Parameters = toml::from_str(&parameters).map_err(ModelError::Parameters)?;
        let bytes = fs::read(&network).map_err(|source| ModelError::Unreadable { path: network, source })?;
        let network = rten::Model::load(bytes).map_err(ModelError::Load)?;
        let input = Input::of(&network, &parameters)?;
        Ok(Self { network, input, labels: labels.lines().map(|line| line.trim().to_owned()).collect() })
    }

    fn classify(&self, picture: &DynamicImage) -> Result<Vec<Class>, ModelError> {
        let input = self.input.tensor(picture);
        let output = self.network.run_one(input.into(), None).map_err(|error| ModelError::Run(error.to_string()))?;
        match output {
            Value::UInt8Tensor(scores) => Ok(classes::from_scores(&scores.to_vec(), &self.labels)),
            Value::FloatTensor(values) => Ok(classes::from_floats(&values.to_vec(), &self.labels)),
            _ => Err(ModelError::Output("it is neither of bytes nor of floating-point numbers".to_owned())),
        }
    }
}

/// A text file that may be missing.
fn read(path: &Path) -> Result<Option<String>, ModelError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ModelError::Unreadable { path: path.to_owned(), source }),
    }
}
