//! The steps up to a release that may serve, one file each.

mod checkout;
mod clusters;
mod compile;
mod hooks;
mod images;
mod known_images;
mod plan;
mod release;
mod roll_back;
mod rollout;

pub(super) use rollout::ROUTERS_TIME;

use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::failure::Failure;
use crate::deploy::steps::images::Images;
use crate::deploy::targets::Targets;
use crate::domain::history::Step;
use crate::paas::compiled;

impl Deployment<'_> {
    /// Everything up to the point at which people are sent to the new release.
    pub(super) async fn roll_out(&mut self) -> Result<Release, Failure> {
        self.open().await?;
        let root = self.check_out().await?;
        let model = self.compile().await?;
        self.hooks(&model, &root).await?;
        self.begin(Step::Image);
        let targets = self.targets().await?;
        let images = self.images(&model, &targets, &root).await?;
        // Whatever is applied comes from the images: the files are not needed any more.
        self.clear_workspace().await;
        self.bring_up(&model, images, &targets).await
    }

    /// From images to the point at which people are sent to the new release.
    async fn bring_up(
        &mut self,
        model: &compiled::Deployment,
        images: Images,
        targets: &Targets,
    ) -> Result<Release, Failure> {
        let live = self.run.live_release().await?;
        let (release, rendered) = self.release(model, images, targets, live.as_ref()).await?;
        let placed = self.start(&release, rendered, targets, live.as_ref()).await?;
        self.route(&release, &placed).await?;
        Ok(release)
    }
}
