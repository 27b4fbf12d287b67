// Requests: their making, signing and sending. Generated; do not edit.

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

/// What a client is made with.
@interface {{ prefix }}Configuration : NSObject
@property(nonatomic, copy) NSString *endpoint;
@property(nonatomic, copy) NSString *region;
@property(nonatomic, copy, nullable) NSString *accessKey;
@property(nonatomic, copy, nullable) NSString *secretKey;
@property(nonatomic, copy, nullable) NSString *sessionToken;
@property(nonatomic, copy, nullable) NSString *apiKey;
@property(nonatomic, strong) NSURLSession *session;
@end

/// What the API answered: `data` is what JSON says, or a string. With a status of 400 or more, there is an
/// error beside it.
@interface {{ prefix }}Answer : NSObject
@property(nonatomic) NSInteger status;
@property(nonatomic, copy) NSDictionary<NSString *, NSString *> *headers;
@property(nonatomic, strong, nullable) id data;
@end

typedef void (^{{ prefix }}Completion)({{ prefix }}Answer *_Nullable answer, NSError *_Nullable error);

extern NSErrorDomain const {{ prefix }}ApiErrorDomain;

@interface {{ prefix }}Request : NSObject
@property(nonatomic, copy) NSString *verb;
@property(nonatomic) BOOL isSigned;
@property(nonatomic) BOOL isIdempotent;
@property(nonatomic, strong) NSMutableString *path;
@property(nonatomic, strong, nullable) id body;
- (instancetype)initWithVerb:(NSString *)verb isSigned:(BOOL)isSigned isIdempotent:(BOOL)isIdempotent;
- (void)appendVariable:(NSString *)value greedy:(BOOL)isGreedy;
- (void)query:(NSString *)name value:(nullable NSString *)value;
- (void)header:(NSString *)name value:(nullable NSString *)value;
@end

@interface {{ prefix }}Transport : NSObject
- (instancetype)initWithConfiguration:({{ prefix }}Configuration *)configuration;
- (void)send:({{ prefix }}Request *)request completion:({{ prefix }}Completion)completion;
@end

NS_ASSUME_NONNULL_END
