//! Converts GIFs to gray without decoding them.
//!
//! The pixels of a GIF are indices into palettes. Graying the palettes grays every frame, and leaves frames, delays,
//! transparency and loops unchanged.

use std::borrow::Cow;
use std::ops::Range;

use ::gif::{ColorOutput, DecodeOptions, DecodingError};

use crate::ImageError;
use crate::luma::luma;

/// Most frames of an animation. Each has a cost, however few pixels it has.
const MAX_FRAMES: usize = 10_000;

/// Positions of a GIF's parts.
#[derive(Debug)]
pub struct Outline {
    palettes: Vec<Range<usize>>,
    pixels: u64,
    frames: usize,
}

impl Outline {
    /// Walks through the blocks of a GIF without decompressing any.
    ///
    /// Stops at more than `max_pixels`, because such a GIF is rejected anyway.
    ///
    /// # Errors
    /// If the structure is broken or incomplete.
    pub fn read(bytes: &[u8], max_pixels: u64) -> Result<Self, ImageError> {
        let mut reader = Reader { bytes, at: 6 };
        let (width, height) = (reader.number()?, reader.number()?);
        let flags = reader.byte()?;
        reader.skip(2)?;
        let mut outline = Self { palettes: Vec::new(), pixels: u64::from(width) * u64::from(height), frames: 0 };
        outline.palettes.extend(reader.palette(flags)?);
        while outline.pixels <= max_pixels {
            // If only the trailer is missing, the image is complete.
            if outline.frames > 0 && reader.is_at_end() {
                return Ok(outline);
            }
            match reader.byte()? {
                EXTENSION => {
                    reader.skip(1)?;
                    reader.skip_data()?;
                }
                IMAGE => outline.read_image(&mut reader)?,
                TRAILER if outline.frames > 0 => return Ok(outline),
                TRAILER => return Err(ImageError::Broken("it has no frame".to_owned())),
                // Some encoders pad the data of a frame with an extra zero.
                0 => {}
                _ => return Err(ImageError::Broken("it has an unknown block".to_owned())),
            }
        }
        Ok(outline)
    }

    fn read_image(&mut self, reader: &mut Reader<'_>) -> Result<(), ImageError> {
        reader.skip(4)?;
        let (width, height) = (reader.number()?, reader.number()?);
        let flags = reader.byte()?;
        self.palettes.extend(reader.palette(flags)?);
        // The code size, then the compressed indices.
        reader.skip(1)?;
        reader.skip_data()?;
        self.pixels += u64::from(width) * u64::from(height);
        self.frames += 1;
        if self.frames > MAX_FRAMES {
            return Err(ImageError::Broken(format!("it has more than {MAX_FRAMES} frames")));
        }
        Ok(())
    }

    /// Returns the pixels of the screen and of all frames.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Returns the GIF in gray.
    ///
    /// # Errors
    /// If a frame cannot be decompressed.
    pub fn to_gray(&self, bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
        let bytes = with_end(bytes);
        check_frames(&bytes)?;
        let mut gray = bytes.into_owned();
        for palette in &self.palettes {
            for colour in gray.get_mut(palette.clone()).unwrap_or_default().chunks_exact_mut(3) {
                if let [red, green, blue] = colour {
                    let brightness = luma(*red, *green, *blue);
                    (*red, *green, *blue) = (brightness, brightness, brightness);
                }
            }
        }
        Ok(gray)
    }
}

/// Returns a parsed GIF with its trailer, which may be missing.
pub(crate) fn with_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes.last() {
        // The end of a frame's data, or of an extension's.
        Some(0) => Cow::Owned([bytes, &[TRAILER]].concat()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Decompresses each frame and discards it: the response must be a valid image, including the unchanged parts.
fn check_frames(bytes: &[u8]) -> Result<(), ImageError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).map_err(broken)?;
    while decoder.read_next_frame().map_err(broken)?.is_some() {}
    Ok(())
}

fn broken(error: DecodingError) -> ImageError {
    ImageError::Broken(error.to_string())
}

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, ImageError> {
        let byte = self.bytes.get(self.at).copied().ok_or(ImageError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn number(&mut self) -> Result<u16, ImageError> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, count: usize) -> Result<(), ImageError> {
        self.at += count;
        if self.at <= self.bytes.len() { Ok(()) } else { Err(ImageError::Truncated) }
    }

    /// Skips a palette, if the flags say that there is one.
    fn palette(&mut self, flags: u8) -> Result<Option<Range<usize>>, ImageError> {
        if flags & 0x80 == 0 {
            return Ok(None);
        }
        let start = self.at;
        self.skip(3 << ((flags & 7) + 1))?;
        Ok(Some(start..self.at))
    }

    /// Skips data: length-prefixed blocks up to an empty one.
    fn skip_data(&mut self) -> Result<(), ImageError> {
        loop {
            match self.byte()? {
                0 => return Ok(()),
                length => self.skip(length.into())?,
            }
        }
    }
}
