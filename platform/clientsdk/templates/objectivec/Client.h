// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.

#import "{{ service }}Transport.h"

NS_ASSUME_NONNULL_BEGIN
{% for class in classes %}

@interface {{ prefix }}{{ class.name }} : NSObject
{% for field in class.fields %}
@property(nonatomic, strong, nullable) id {{ field.camel | member }};
{% endfor %}
/// What JSON says; nil where it says something else.
+ (nullable instancetype)of:(nullable id)json;
- (NSDictionary<NSString *, id> *)json;
@end
{% endfor %}

/// A client of the API. Bodies and answers are models, or what JSON says.
@interface {{ service }}Client : NSObject
- (instancetype)initWithConfiguration:({{ prefix }}Configuration *)configuration;
{% for method in methods %}

/// {{ method.verb | remark }} {{ method.path | remark }}
- (void){{ method.camel }}{% for one in method.parameters %}{% if loop.first %}With{{ one.camel | member | capitalize_first }}{% else %} {{ one.camel | member }}{% endif %}:({% if not one.required %}nullable {% endif %}NSString *){{ one.camel | member }}{% endfor %}{% if method.body is not none %}{% if method.parameters %} body{% else %}WithBody{% endif %}:(nullable id)body{% endif %}{% if method.parameters or method.body is not none %} completion{% else %}WithCompletion{% endif %}:({{ prefix }}Completion)completion;
{% endfor %}
@end

NS_ASSUME_NONNULL_END
