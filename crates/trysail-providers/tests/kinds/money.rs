//! Money in all its clothes.

use Class::{Auth, Permanent, QuotaExhausted as Quota, Throttled, Transient};
use trysail_core::{Class, Remedy};
use trysail_providers::Providers;

use crate::{Row, answer, judged};

#[test]
fn an_empty_purse_is_a_spent_quota_in_whatever_words() {
    let mut wrong = Vec::new();
    for words in MONEY {
        let bodies = [
            format!(r#"{{"error":{{"message":"{words}","type":"invalid_request_error","code":null}}}}"#),
            format!(r#"{{"error":"{words}"}}"#),
            format!(r#"{{"message":"{words}"}}"#),
        ];
        for (status, body) in bodies.iter().flat_map(|body| [200, 400, 401, 402, 403, 429, 500, 503].map(|s| (s, body)))
        {
            if status == 200 && body.starts_with(r#"{"message"#) {
                continue;
            }
            let judgement = Providers.judge(&answer(status, body));
            let verdict = judgement.verdict();
            if verdict.class() != Quota || verdict.remedy() != Some(Remedy::Pay) {
                wrong.push(format!("{status} {words}: {verdict} by {}", judgement.rule()));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), MONEY.len(), wrong.join("\n"));
}

#[test]
fn a_code_of_money_is_one() {
    for code in CODES {
        for body in [
            format!(r#"{{"error":{{"code":"{code}","message":"no"}}}}"#),
            format!(r#"{{"error":{{"type":"{code}"}}}}"#),
        ] {
            for status in [400, 403, 429, 500] {
                let judgement = Providers.judge(&answer(status, &body));
                assert_eq!(judgement.verdict().class(), Quota, "{status} {body} by {}", judgement.rule());
            }
        }
    }
}

#[test]
fn words_that_only_sound_of_money_are_none() {
    judged(OTHERS);
}

#[test]
fn a_clause_that_puts_a_purse_beside_its_emptiness_is_of_money() {
    judged(SAID);
}

const MONEY: &[&str] = &[
    "You have run out of funds",
    "Your organization ran out of funds",
    "You are out of funds.",
    "Your account has run out of credit",
    "You ran out of credits, buy more to continue",
    "You have run out of money",
    "Please top up your account",
    "Top up your wallet to continue",
    "Your balance is used up: top up at https://example.com/billing",
    "Please top-up to keep using the API",
    "You need to top up",
    "Not enough funds for this request",
    "Insufficient wallet balance",
    "Insufficient account funds",
    "Your account lacks the funds for this request",
    "Your wallet is empty",
    "Your account balance is negative",
    "Account balance is zero",
    "Negative balance",
    "Your balance is $0.00",
    "Your balance is exhausted",
    "Balance exhausted",
    "No credits left",
    "No credit remaining",
    "You have no remaining credits",
    "You have 0 credits left",
    "Zero credits remaining",
    "Your credits have run out",
    "All your credits have been used",
    "You have used up your credits",
    "You've used all your free credits",
    "Credit exhausted",
    "Please add funds to your account",
    "Add credits to your account to continue",
    "Please buy more credits",
    "Purchase credits to continue",
    "Please refill your balance",
    "Please replenish your account",
    "Recharge your account",
    "Please fund your account",
    "Make a deposit to continue",
    "Payment required",
    "Payment is required to continue",
    "Your payment has failed",
    "Your last payment failed",
    "Your card was declined",
    "Please add a valid payment method",
    "You have an unpaid invoice",
    "There are unpaid invoices on this account",
    "Your account is past due",
    "You have an outstanding balance",
    "Your subscription has expired",
    "Your subscription has lapsed",
    "An active subscription is required",
    "Your plan has expired",
    "Your trial has ended",
    "Your free trial has expired",
    "Free tier exhausted",
    "You have exceeded your budget",
    "Monthly budget exceeded",
    "Budget exhausted",
    "The key is over budget",
    "Spend cap reached",
    "Prepaid balance depleted",
    "Billing is not enabled on this project",
    "Your account is suspended for non-payment",
    "账户余额不足",
    "余额已用完，请充值",
    "您的账户已欠费",
    "额度不足，请充值",
    "用户额度不足",
    "餘額不足",
    "残高が不足しています",
    "残高不足です。チャージしてください",
    "クレジットが不足しています",
    "잔액이 부족합니다",
    "크레딧이 부족합니다",
    "Guthaben aufgebraucht",
    "Ihr Guthaben reicht nicht aus",
    "Bitte laden Sie Ihr Guthaben auf",
    "Solde insuffisant",
    "Crédits épuisés, veuillez recharger votre compte",
    "Saldo insuficiente",
    "Fondos insuficientes",
    "Créditos agotados",
    "Créditos insuficientes",
    "Credito esaurito",
    "Saldo insufficiente",
    "Недостаточно средств на балансе",
    "Пополните баланс",
    "Yetersiz bakiye",
    "Onvoldoende saldo",
    "Số dư không đủ",
    "Saldo tidak mencukupi",
];

const CODES: &[&str] = &[
    "insufficient_credit",
    "insufficient_user_quota",
    "InsufficientFunds",
    "out_of_funds",
    "out_of_credit",
    "no_credits",
    "no_balance",
    "balance_exhausted",
    "credit_balance_exhausted",
    "credits_depleted",
    "payment_failed",
    "payment_overdue",
    "past_due",
    "subscription_expired",
    "trial_expired",
    "billing_required",
    "top_up_required",
    "PaymentRequiredError",
    "spend_limit_exceeded",
    "low_balance",
];

/// As others would say it, with the status they would say it with.
const SAID: &[Row] = &[
    (429, r#"{"error":{"message":"Your organization has exhausted its prepaid credits."}}"#, Quota),
    (400, r#"{"error":"Your account has been depleted of credits"}"#, Quota),
    (403, r#"{"error":{"message":"You don't have sufficient credit to run this request"}}"#, Quota),
    (403, r#"{"message":"Please purchase additional credits to continue using the service."}"#, Quota),
    (429, r#"{"message":"You have consumed all of your free credits"}"#, Quota),
    (400, r#"{"error":{"message":"Wallet has insufficient balance, please topup"}}"#, Quota),
    (403, r#"{"error":{"message":"Account needs topping up"}}"#, Quota),
    (403, r#"{"error":{"message":"Your balance (0.00 USD) is not sufficient"}}"#, Quota),
    (403, r#"{"error":{"message":"Please update your billing information"}}"#, Quota),
    (403, r#"{"error":{"message":"The billing account for the owning project is disabled in state absent"}}"#, Quota),
    (403, r#"{"error":{"message":"Please renew your subscription"}}"#, Quota),
    (429, r#"{"error":{"message":"You have reached your prepaid limit"}}"#, Quota),
    (429, r#"{"error":{"message":"cost limit exceeded for key"}}"#, Quota),
    (403, r#"{"error":{"message":"账户已停机，请及时充值"}}"#, Quota),
    (403, r#"{"error":{"message":"该令牌额度已用尽"}}"#, Quota),
    (403, r#"{"error":{"message":"Kontingent aufgebraucht, bitte Konto aufladen"}}"#, Quota),
    (403, r#"{"error":{"message":"Veuillez approvisionner votre compte"}}"#, Quota),
    (403, r#"{"error":{"message":"No hay saldo suficiente"}}"#, Quota),
    (403, r#"{"error":{"message":"Средства на счёте: пополните счёт"}}"#, Quota),
];

const OTHERS: &[Row] = &[
    (503, r#"{"error":"load balancer: no healthy upstream"}"#, Transient),
    (502, r#"{"error":"balancer: no server available"}"#, Transient),
    (500, r#"{"error":"fundamental error, no details"}"#, Transient),
    (403, r#"{"error":"You do not have enough permissions to read the balance"}"#, Auth),
    (403, r#"{"error":"Please add this address to your account's allow list"}"#, Auth),
    (401, r#"{"error":"Add your API key to the request"}"#, Auth),
    (401, r#"{"error":"Subscription key has expired"}"#, Auth),
    (429, r#"{"error":"Your plan's limit renews in 12 seconds"}"#, Throttled),
    (429, r#"{"error":"Your plan is over its limit of requests per minute"}"#, Throttled),
    (429, r#"{"error":"Rate limit exceeded. Update your billing details to raise it"}"#, Throttled),
    (429, r#"{"error":"Rate limit exceeded. Purchase credits for more"}"#, Throttled),
    (429, r#"{"error":"Too many requests; no credits were deducted"}"#, Throttled),
    (429, r#"{"error":"Query cost exceeds what is left of the limit"}"#, Throttled),
    (400, r#"{"error":"Field 'balance' is empty"}"#, Permanent),
    (400, r#"{"error":"balance must not be negative"}"#, Permanent),
    (400, r#"{"error":"Input 'please top up your account' is too odd"}"#, Permanent),
    (400, r#"{"error":"Add a balance to the vector"}"#, Permanent),
    (400, r#"{"error":{"message":"Invalid value for 'top up': must be a number"}}"#, Permanent),
    (400, r#"{"error":{"message":"Unrecognized request argument supplied: top_up"}}"#, Permanent),
    (400, r#"{"error":{"message":"'stop' up to 4 sequences, or set stop up to the limit"}}"#, Permanent),
    (400, r#"{"error":{"message":"Set top up to 100 documents"}}"#, Permanent),
    (400, r#"{"error":{"message":"Field 'credit' is required"}}"#, Permanent),
    (400, r#"{"error":{"message":"'balance' must be one of: classes, none"}}"#, Permanent),
    (400, r#"{"error":{"message":"Invalid payment_id: no such document"}}"#, Permanent),
    (400, r#"{"error":{"message":"Unknown index 'invoices'"}}"#, Permanent),
    (400, r#"{"error":{"message":"Thinking budget must be at least 1024"}}"#, Permanent),
    (400, r#"{"error":{"message":"Token budget of 8192 is not supported by this model"}}"#, Permanent),
    (400, r#"{"error":{"message":"The deposit of a vector needs an id"}}"#, Permanent),
    (400, r#"{"error":{"message":"credit card numbers are masked in inputs"}}"#, Permanent),
    (400, r#"{"error":{"message":"Unknown plan 'trial' in tag filter"}}"#, Permanent),
    (403, r#"{"error":{"message":"Your plan does not include this model"}}"#, Auth),
    (401, r#"{"error":{"message":"Subscription key is not known"}}"#, Auth),
    (422, r#"{"detail":"top up your dictionary: word missing"}"#, Permanent),
    (429, r#"{"error":{"message":"Too many requests. Upgrade your plan to increase your rate limit."}}"#, Throttled),
    (429, r#"{"error":{"message":"Rate limit exceeded. Deposit history is unaffected."}}"#, Throttled),
    (
        429,
        r#"{"detail":"You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM"}"#,
        Throttled,
    ),
];
