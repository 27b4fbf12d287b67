// Requests: their making, signing and sending. Generated; do not edit.

#import "{{ service }}Transport.h"

#import <CommonCrypto/CommonCrypto.h>

static const NSInteger {{ prefix }}Attempts = 3;
static const double {{ prefix }}BackoffSeconds = 0.1;

NSErrorDomain const {{ prefix }}ApiErrorDomain = @"{{ prefix }}ApiError";

static NSString *{{ prefix }}Encode(NSString *text, BOOL keepsSlashes) {
    NSMutableCharacterSet *plain = [NSMutableCharacterSet new];
    [plain addCharactersInString:@"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"];
    if (keepsSlashes) {
        [plain addCharactersInString:@"/"];
    }
    return [text stringByAddingPercentEncodingWithAllowedCharacters:plain];
}

static NSString *{{ prefix }}Hex(NSData *data) {
    NSMutableString *out = [NSMutableString new];
    const unsigned char *bytes = data.bytes;
    for (NSUInteger at = 0; at < data.length; at++) {
        [out appendFormat:@"%02x", bytes[at]];
    }
    return out;
}

static NSData *{{ prefix }}Digest(NSData *data) {
    NSMutableData *out = [NSMutableData dataWithLength:CC_SHA256_DIGEST_LENGTH];
    CC_SHA256(data.bytes, (CC_LONG)data.length, out.mutableBytes);
    return out;
}

static NSData *{{ prefix }}Hmac(NSData *key, NSString *text) {
    NSData *data = [text dataUsingEncoding:NSUTF8StringEncoding];
    NSMutableData *out = [NSMutableData dataWithLength:CC_SHA256_DIGEST_LENGTH];
    CCHmac(kCCHmacAlgSHA256, key.bytes, key.length, data.bytes, data.length, out.mutableBytes);
    return out;
}

@implementation {{ prefix }}Configuration
- (instancetype)init {
    if ((self = [super init])) {
        _endpoint = @{{ api.endpoint | quoted }};
        _region = @{{ api.region | quoted }};
        _session = [NSURLSession sharedSession];
    }
    return self;
}
@end

@implementation {{ prefix }}Answer
@end

@interface {{ prefix }}Request ()
@property(nonatomic, strong) NSMutableArray<NSString *> *pairs;
@property(nonatomic, strong) NSMutableDictionary<NSString *, NSString *> *headers;
@end

@implementation {{ prefix }}Request
- (instancetype)initWithVerb:(NSString *)verb isSigned:(BOOL)isSigned isIdempotent:(BOOL)isIdempotent {
    if ((self = [super init])) {
        _verb = [verb copy];
        _isSigned = isSigned;
        _isIdempotent = isIdempotent;
        _path = [NSMutableString new];
        _pairs = [NSMutableArray new];
        _headers = [@{@"accept" : @"application/json"} mutableCopy];
    }
    return self;
}

- (void)appendVariable:(NSString *)value greedy:(BOOL)isGreedy {
    [self.path appendString:{{ prefix }}Encode(value, isGreedy)];
}

- (void)query:(NSString *)name value:(NSString *)value {
    if (value != nil) {
        NSString *pair = [NSString stringWithFormat:@"%@=%@", {{ prefix }}Encode(name, NO), {{ prefix }}Encode(value, NO)];
        [self.pairs addObject:pair];
    }
}

- (void)header:(NSString *)name value:(NSString *)value {
    if (value != nil) {
        self.headers[name.lowercaseString] = value;
    }
}
@end

@implementation {{ prefix }}Transport {
    {{ prefix }}Configuration *_configuration;
}

- (instancetype)initWithConfiguration:({{ prefix }}Configuration *)configuration {
    if ((self = [super init])) {
        _configuration = configuration;
    }
    return self;
}

- (void)send:({{ prefix }}Request *)request completion:({{ prefix }}Completion)completion {
    [self attempt:request left:{{ prefix }}Attempts - 1 wait:{{ prefix }}BackoffSeconds completion:completion];
}

/// Sends a request, and again, up to three times, where the API was busy.
- (void)attempt:({{ prefix }}Request *)request
           left:(NSInteger)left
           wait:(double)wait
     completion:({{ prefix }}Completion)completion {
    NSError *unfit = nil;
    NSURLRequest *sent = [self urlRequest:request error:&unfit];
    if (sent == nil) {
        completion(nil, unfit);
        return;
    }
    NSURLSessionDataTask *task = [_configuration.session
        dataTaskWithRequest:sent
          completionHandler:^(NSData *data, NSURLResponse *response, NSError *error) {
            {{ prefix }}Answer *answer = [self read:data response:(NSHTTPURLResponse *)response];
            BOOL isBusy = answer.status == 429 || answer.status == 503;
            BOOL isBroken = error != nil || answer.status == 500 || answer.status == 502 || answer.status == 504;
            if (left > 0 && (isBusy || (isBroken && request.isIdempotent))) {
                double seconds = wait * (0.5 + arc4random_uniform(500) / 1000.0);
                dispatch_time_t then = dispatch_time(DISPATCH_TIME_NOW, (int64_t)(seconds * NSEC_PER_SEC));
                dispatch_after(then, dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0), ^{
                    [self attempt:request left:left - 1 wait:wait * 2 completion:completion];
                });
                return;
            }
            if (error == nil && answer.status >= 400) {
                error = [NSError errorWithDomain:{{ prefix }}ApiErrorDomain code:answer.status userInfo:nil];
            }
            completion(answer, error);
          }];
    [task resume];
}

- (NSURLRequest *)urlRequest:({{ prefix }}Request *)request error:(NSError **)error {
    NSURLComponents *endpoint = [NSURLComponents componentsWithString:_configuration.endpoint];
    NSString *authority = endpoint.host;
    if (endpoint.port != nil) {
        authority = [NSString stringWithFormat:@"%@:%@", endpoint.host, endpoint.port];
    }
    NSString *base = endpoint.percentEncodedPath;
    if ([base hasSuffix:@"/"]) {
        base = [base substringToIndex:base.length - 1];
    }
    NSString *path = [base stringByAppendingString:request.path];
    NSString *query = [request.pairs componentsJoinedByString:@"&"];
    NSString *address = [NSString stringWithFormat:@"%@://%@%@%@%@", endpoint.scheme, authority, path,
                                                   query.length > 0 ? @"?" : @"", query];
    NSURL *url = [NSURL URLWithString:address];
    if (url == nil) {
        *error = [NSError errorWithDomain:NSURLErrorDomain code:NSURLErrorBadURL userInfo:nil];
        return nil;
    }
    NSMutableURLRequest *sent = [NSMutableURLRequest requestWithURL:url];
    sent.HTTPMethod = request.verb;
    NSData *body = [NSData data];
    if (request.body != nil) {
        body = [NSJSONSerialization dataWithJSONObject:request.body options:NSJSONWritingFragmentsAllowed error:error];
        if (body == nil) {
            return nil;
        }
        sent.HTTPBody = body;
        [sent setValue:@"application/json" forHTTPHeaderField:@"content-type"];
    }
    NSMutableDictionary<NSString *, NSString *> *headers = [request.headers mutableCopy];
    if (request.isSigned && _configuration.accessKey != nil) {
        [headers addEntriesFromDictionary:[self sign:request host:authority path:path body:body]];
    }
    if (_configuration.apiKey != nil) {
        headers[@"x-api-key"] = _configuration.apiKey;
    }
    [headers enumerateKeysAndObjectsUsingBlock:^(NSString *name, NSString *value, BOOL *stop) {
        [sent setValue:value forHTTPHeaderField:name];
    }];
    return sent;
}

- ({{ prefix }}Answer *)read:(NSData *)data response:(NSHTTPURLResponse *)response {
    {{ prefix }}Answer *answer = [{{ prefix }}Answer new];
    NSMutableDictionary<NSString *, NSString *> *headers = [NSMutableDictionary new];
    [response.allHeaderFields enumerateKeysAndObjectsUsingBlock:^(id name, id value, BOOL *stop) {
        headers[[[name description] lowercaseString]] = [value description];
    }];
    answer.status = response.statusCode;
    answer.headers = headers;
    if (data != nil && [headers[@"content-type"] containsString:@"json"]) {
        answer.data = [NSJSONSerialization JSONObjectWithData:data options:NSJSONReadingFragmentsAllowed error:nil];
    }
    if (answer.data == nil && data != nil) {
        answer.data = [[NSString alloc] initWithData:data encoding:NSUTF8StringEncoding];
    }
    return answer;
}

/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
- (NSDictionary<NSString *, NSString *> *)sign:({{ prefix }}Request *)request
                                          host:(NSString *)host
                                          path:(NSString *)path
                                          body:(NSData *)body {
    NSDateFormatter *format = [NSDateFormatter new];
    format.locale = [NSLocale localeWithLocaleIdentifier:@"en_US_POSIX"];
    format.timeZone = [NSTimeZone timeZoneWithName:@"UTC"];
    format.dateFormat = @"yyyyMMdd'T'HHmmss'Z'";
    NSString *time = [format stringFromDate:[NSDate date]];
    NSArray<NSString *> *scope = @[ [time substringToIndex:8], _configuration.region, @"execute-api", @"aws4_request" ];
    NSMutableDictionary<NSString *, NSString *> *headers = [@{@"host" : host, @"x-amz-date" : time} mutableCopy];
    if (_configuration.sessionToken != nil) {
        headers[@"x-amz-security-token"] = _configuration.sessionToken;
    }
    NSArray<NSString *> *names = [headers.allKeys sortedArrayUsingSelector:@selector(compare:)];
    NSMutableString *lines = [NSMutableString new];
    for (NSString *name in names) {
        [lines appendFormat:@"%@:%@\n", name, headers[name]];
    }
    NSString *signedNames = [names componentsJoinedByString:@";"];
    NSString *query = [[request.pairs sortedArrayUsingSelector:@selector(compare:)] componentsJoinedByString:@"&"];
    // Each part of the path is encoded once more than it is sent.
    NSString *canonical = [@[
        request.verb, {{ prefix }}Encode(path, YES), query, lines, signedNames, {{ prefix }}Hex({{ prefix }}Digest(body))
    ] componentsJoinedByString:@"\n"];
    NSData *digest = {{ prefix }}Digest([canonical dataUsingEncoding:NSUTF8StringEncoding]);
    NSString *text = [@[
        @"AWS4-HMAC-SHA256", time, [scope componentsJoinedByString:@"/"], {{ prefix }}Hex(digest)
    ] componentsJoinedByString:@"\n"];
    NSData *key = [[@"AWS4" stringByAppendingString:_configuration.secretKey] dataUsingEncoding:NSUTF8StringEncoding];
    for (NSString *part in scope) {
        key = {{ prefix }}Hmac(key, part);
    }
    [headers removeObjectForKey:@"host"];
    headers[@"authorization"] = [NSString
        stringWithFormat:@"AWS4-HMAC-SHA256 Credential=%@/%@, SignedHeaders=%@, Signature=%@", _configuration.accessKey,
                         [scope componentsJoinedByString:@"/"], signedNames, {{ prefix }}Hex({{ prefix }}Hmac(key, text))];
    return headers;
}
@end
