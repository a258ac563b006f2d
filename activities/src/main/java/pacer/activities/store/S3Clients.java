package pacer.activities.store;

import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/** Makes clients of S3. */
final class S3Clients {
    /** Of one request: with growing pauses between them some ten seconds, half a minute where the server asks for patience. */
    private static final int ATTEMPTS = 6;

    private static final Duration CONNECT = Duration.ofSeconds(10);

    /** A server that has everything of a request and says nothing for this long is given up. */
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private S3Clients() {}

    static S3Client open(S3Settings settings) {
        S3ClientBuilder client = S3Client.builder()
                .httpClient(UrlConnectionHttpClient.builder()
                        .connectionTimeout(CONNECT)
                        .socketTimeout(SILENCE)
                        .build())
                .forcePathStyle(settings.endpoint().isPresent()) // such services have no name for each bucket
                .requestChecksumCalculation(
                        settings.checksums()
                                ? RequestChecksumCalculation.WHEN_SUPPORTED
                                : RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(
                        settings.checksums()
                                ? ResponseChecksumValidation.WHEN_SUPPORTED
                                : ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(s3 -> s3.expectContinueEnabled(false)) // a look before each upload serves as well
                .overrideConfiguration(all -> all.retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder()
                        .maxAttempts(ATTEMPTS)
                        .circuitBreakerEnabled(false) // what one object met says nothing of the next
                        .build()));
        settings.endpoint().ifPresent(client::endpointOverride);
        settings.region().map(Region::of).ifPresent(client::region);
        settings.keys()
                .map(S3Clients::credentials)
                .map(StaticCredentialsProvider::create)
                .ifPresent(client::credentialsProvider);
        return client.build();
    }

    private static AwsCredentials credentials(S3Settings.Keys keys) {
        return keys.token()
                .<AwsCredentials>map(token -> AwsSessionCredentials.create(keys.id(), keys.secret(), token))
                .orElseGet(() -> AwsBasicCredentials.create(keys.id(), keys.secret()));
    }
}
