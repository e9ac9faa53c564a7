//! What a gRPC service that is written by hand has to say to tonic, once.

/// Makes a service of a type that has
/// `async fn answer<B>(self, http::Request<B>) -> http::Response<tonic::body::Body>`.
macro_rules! handmade {
    ($service:ty, $name:literal) => {
        impl tonic::server::NamedService for $service {
            const NAME: &'static str = $name;
        }

        impl<B> tonic::codegen::Service<tonic::codegen::http::Request<B>> for $service
        where
            B: tonic::codegen::Body + Send + 'static,
            B::Error: Into<tonic::codegen::StdError> + Send + 'static,
        {
            type Response = tonic::codegen::http::Response<tonic::body::Body>;
            type Error = std::convert::Infallible;
            type Future = tonic::codegen::BoxFuture<Self::Response, Self::Error>;

            fn poll_ready(
                &mut self,
                _: &mut tonic::codegen::Context<'_>,
            ) -> tonic::codegen::Poll<Result<(), Self::Error>> {
                tonic::codegen::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: tonic::codegen::http::Request<B>) -> Self::Future {
                let this = self.clone();
                Box::pin(async move { Ok(this.answer(request).await) })
            }
        }
    };
}
pub(super) use handmade;
