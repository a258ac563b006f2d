# MLflow with its way to S3, which MLflow's own image lacks; versions as in infra/local/install.
FROM docker.io/library/python:3.13-slim-bookworm
RUN pip install --no-cache-dir mlflow==3.17.2 boto3==1.44.5 \
    && useradd --uid 65532 --create-home --home-dir /var/lib/mlflow mlflow
USER 65532:65532
WORKDIR /var/lib/mlflow
EXPOSE 5000
ENTRYPOINT ["mlflow"]
CMD ["server", "--host", "0.0.0.0"]
