//! Devices among the files.

use super::{Case, each_layer};
use crate::finding::{Finding, count};

pub(super) const RULE: &str = "device-node";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    each_layer(
        &case.view.lists.devices,
        |_, _, _| true,
        |devices| {
            let devices = count(devices, "a device lies", "devices lie");
            let fix = "delete it in the step that makes it; docker run --device gives a container \
                       the devices that it needs";
            Finding::new(RULE, format!("{devices} among the files of the image"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileKind;
    use crate::rules::testing::Image;

    #[test]
    fn devices_are_told_but_not_those_that_every_container_has() {
        let mut image = Image::default();
        let block = FileKind::BlockDevice;
        image.layer().kind("srv/disk", block).kind("dev/null", FileKind::CharDevice);
        assert_eq!(image.found(RULE)[0].paths, ["/srv/disk"]);
        image.layer().remove("srv/disk").kind("srv/pipe", FileKind::Fifo);
        assert_eq!(image.found(RULE), []);
    }
}
