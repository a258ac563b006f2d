package pacer.activities.store;

import java.io.IOException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the SDK's failures say to people: place, what the server answers, what to do. Neither requests nor credentials are told. */
final class S3Faults {
    private static final String KEYS =
            "; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the AWS profile, and what they may do";

    private S3Faults() {}

    static IOException of(S3Address place, S3Settings access, SdkException e) {
        String where = place + access.endpoint().map(uri -> " at " + uri).orElse("") + ": ";
        return switch (e) {
            case S3Exception answer -> answered(where, place, answer);
            default -> told(new IOException(where + reason(e) + hint(e)), e);
        };
    }

    private static IOException answered(String where, S3Address place, S3Exception e) {
        AwsErrorDetails details = e.awsErrorDetails();
        String code = details == null || details.errorCode() == null ? "" : details.errorCode();
        String text = details == null || details.errorMessage() == null ? "" : ": " + details.errorMessage();
        String next =
                switch (code) {
                    case "NoSuchBucket" -> "; make the bucket " + place.bucket() + ", or name another";
                    case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken" -> KEYS;
                    case "AuthorizationHeaderMalformed" -> "; check AWS_REGION";
                    case "NotImplemented" ->
                        "; where the service knows no checksums, set AWS_REQUEST_CHECKSUM_CALCULATION=when_required";
                    default -> e.statusCode() == 403 ? KEYS : "";
                };
        String said = e.statusCode() + (code.isEmpty() ? "" : " " + code) + text + next;
        String message = where + "the server answers " + said;
        boolean refused = e.statusCode() == 403 || code.equals("NoSuchBucket");
        return told(refused ? new RefusedException(message) : new IOException(message), e);
    }

    /** The SDK wraps what the socket said in words of its own. */
    private static String reason(SdkException e) {
        Throwable at = e;
        while (at.getCause() != null && at.getCause() != at) {
            at = at.getCause();
        }
        return at.getMessage() == null ? at.getClass().getSimpleName() : at.getMessage();
    }

    private static String hint(SdkException e) {
        String text = String.valueOf(e.getMessage());
        if (text.contains("credentials")) {
            return "; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an AWS profile";
        }
        return text.contains("region") ? "; set AWS_REGION" : "";
    }

    /** Not as the cause: what that says, the message says in better words. */
    private static IOException told(IOException fault, SdkException e) {
        fault.addSuppressed(e);
        return fault;
    }
}
